//! A rule: what it is for, and who gets it.

use midplane_contract::{ActionName, Code, Error, Glob, PluginId, Result, VersionRange};
use serde::{Deserialize, Serialize};

/// One route that the operator makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is for.
    #[serde(rename = "match")]
    pub what: What,
    /// Who gets it.
    pub to: Target,
    /// What decides among several: the highest wins.
    #[serde(default)]
    pub priority: i32,
}

/// What a rule is for. `*` is any characters but `/`, `**` any characters, `?` one character but `/`; a text without any
/// is exact, one that only ends with `*` is a prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Names of actions: `resize`, `image.*`.
    Action(String),
    /// Names of files, in any case of letters: `*.tar.gz`, `readme*`.
    File(String),
    /// Media types of files, in any case of letters and without parameters: `text/markdown`, `image/*`.
    Media(String),
}

/// Who gets what a rule is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Target {
    /// A plugin.
    Plugin {
        /// Its id.
        plugin: PluginId,
        /// The action; without one the action that was called, and for files the plugin's own choice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<ActionName>,
    },
    /// Whoever provides an interface.
    Service {
        /// Its name.
        service: String,
        /// Which versions.
        #[serde(default = "VersionRange::any")]
        version: VersionRange,
        /// The action; without one the action that was called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<ActionName>,
    },
}

/// How exactly something says what it is for: the more, the better. Exact texts, then prefixes, then patterns; of two of a
/// kind the longer one. What is for everything comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exactness(u8, usize);

impl Exactness {
    pub(super) fn of(pattern: &str) -> Self {
        let stem = pattern.trim_end_matches('*');
        match (stem.contains(['*', '?']), stem.len() == pattern.len()) {
            _ if stem.is_empty() => Self(0, 0),
            (true, _) => Self(0, pattern.len()),
            (false, false) => Self(1, stem.len()),
            (false, true) => Self(2, stem.len()),
        }
    }
}

impl What {
    pub(super) fn pattern(&self) -> &str {
        let (Self::Action(pattern) | Self::File(pattern) | Self::Media(pattern)) = self;
        pattern
    }

    pub(super) fn exactness(&self) -> Exactness {
        Exactness::of(self.pattern())
    }
}

/// Whether a text fits a pattern.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    Glob::parse(pattern).is_some_and(|glob| glob.matches(text))
}

impl Rule {
    /// Whether it can be used.
    ///
    /// # Errors
    /// `invalid_input`, saying what is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let pattern = self.what.pattern();
        if !pattern.is_empty() && pattern.len() <= 256 && Glob::parse(pattern).is_some() {
            return Ok(());
        }
        Err(Error::new(Code::InvalidInput, format!("`{pattern}` cannot be what a route is for"))
            .remedy("write 1 to 256 bytes with at most 32 of * and ?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_texts_come_before_prefixes_and_those_before_patterns() {
        let of = Exactness::of;
        assert!(of("image.resize") > of("image.*"));
        assert!(of("image.*") > of("im*"));
        assert!(of("i*") > of("*.resize"));
        assert!(of("*.resize") > of("*.r*"));
        assert!(of("*") < of("*.r") && of("**") < of("a*"));
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        let rule: Rule = serde_json::from_str(
            r#"{"match": {"action": "image.*"}, "to": {"service": "images", "version": "^1"}, "priority": 5}"#,
        )
        .unwrap();
        assert_eq!((rule.what.pattern(), rule.priority), ("image.*", 5));
        assert!(matches!(&rule.to, Target::Service { service, .. } if service == "images"));
        let rule: Rule =
            serde_json::from_str(r#"{"match": {"media": "text/*"}, "to": {"plugin": "a", "action": "show"}}"#).unwrap();
        assert!(matches!(&rule.to, Target::Plugin { action: Some(action), .. } if action.as_str() == "show"));
        assert!(serde_json::from_str::<Rule>(r#"{"match": {"file": "*"}, "to": {"plug": "a"}}"#).is_err());
    }
}
