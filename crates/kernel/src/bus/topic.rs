//! Names of topics, and the patterns that subscribers ask for.

use std::borrow::Cow;

use midplane_contract::{Code, Error, Result};

/// Longest topic or pattern, in bytes.
pub const TOPIC_LENGTH: usize = 256;
/// Most levels of a topic or pattern.
pub const TOPIC_LEVELS: usize = 32;

/// What a subscriber wants to receive. A level `*` stands for one level, `>` at the end for one or more. `*` alone stands
/// for every topic, and `module.` is another word for `plugin.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    levels: Box<[Level]>,
    /// Whether more levels may, and must, follow.
    open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Any,
    Is(Box<str>),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `invalid_input`, saying which level cannot be one.
    pub fn parse(text: &str) -> Result<Self> {
        let text = canonical(text);
        if matches!(text.as_ref(), "*" | ">") {
            return Ok(Self { text: text.into(), levels: [].into(), open: true });
        }
        let (named, open) = match text.strip_suffix(".>") {
            Some(named) => (named, true),
            None => (text.as_ref(), false),
        };
        check_shape(&text, named, true)?;
        let level = |level| if level == "*" { Level::Any } else { Level::Is(Box::from(level)) };
        let levels = named.split('.').map(level).collect();
        Ok(Self { text: text.into(), levels, open })
    }

    /// Whether a topic is one of those.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        let mut found = topic.split('.');
        let fits = self.levels.iter().all(|level| match (level, found.next()) {
            (Level::Any, Some(_)) => true,
            (Level::Is(name), Some(found)) => **name == *found,
            (_, None) => false,
        });
        fits && found.next().is_some() == self.open
    }

    /// As it was written, with `plugin.` for `module.`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Checks that a text can be the topic of a message: levels with a `.` between them, without spaces, control characters
/// and wildcards.
///
/// # Errors
/// `invalid_input`, saying what is wrong.
pub(crate) fn check(topic: &str) -> Result<()> {
    check_shape(topic, topic, false)
}

/// The one spelling of a topic or pattern: `plugin.` for `module.`.
#[must_use]
pub fn canonical(topic: &str) -> Cow<'_, str> {
    match topic.strip_prefix("module.") {
        Some(rest) => Cow::Owned(format!("plugin.{rest}")),
        None => Cow::Borrowed(topic),
    }
}

/// Whether a topic belongs to the host, so that no plugin may publish on it.
pub(crate) fn is_the_hosts(topic: &str) -> bool {
    let first = topic.split('.').next().unwrap_or_default();
    matches!(first, "plugin" | "module" | "host")
}

fn check_shape(whole: &str, levels: &str, wildcards: bool) -> Result<()> {
    if whole.len() > TOPIC_LENGTH || levels.split('.').count() > TOPIC_LEVELS {
        let message = format!("a topic has at most {TOPIC_LENGTH} bytes and {TOPIC_LEVELS} levels");
        return Err(Error::new(Code::InvalidInput, message).remedy("give the topic a shorter name"));
    }
    let wrong = |level: &&str| match *level {
        "*" => !wildcards,
        level => level.is_empty() || level.contains(|c: char| c.is_whitespace() || c.is_control() || "*>".contains(c)),
    };
    let Some(level) = levels.split('.').find(wrong) else { return Ok(()) };
    let remedy = match (level, wildcards) {
        ("", _) => "write names with a single `.` between them",
        (_, true) => "`*` stands for one whole level and `>` for the rest, as in `orders.*` or `orders.>`",
        (_, false) => "publish on one topic, without wildcards, spaces and control characters",
    };
    let message = format!("`{}` is no topic: its level `{level}` cannot be one", whole.escape_debug());
    Err(Error::new(Code::InvalidInput, message).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, topic: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(topic)
    }

    #[test]
    fn a_star_is_one_level_and_an_angle_is_the_rest() {
        for (pattern, topic, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.b.c", false),
            ("a.b", "a", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("*.b", "a.b", true),
            ("a.*.c", "a.b.c", true),
            ("a.>", "a.b", true),
            ("a.>", "a.b.c.d", true),
            ("a.>", "a", false),
            ("*.>", "a.b", true),
            ("*", "a", true),
            ("*", "a.b.c", true),
            (">", "a.b.c", true),
            ("module.*", "plugin.loaded", true),
            ("module.loaded", "plugin.loaded", true),
        ] {
            assert_eq!(fits(pattern, topic), expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn what_cannot_be_a_topic_is_refused_by_name() {
        for topic in ["", ".", "a.", ".a", "a..b", "a b", "a.*", "*", ">", "a.>", "a\n", "é.\u{7f}"] {
            let error = check(topic).unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{topic:?}");
        }
        for topic in ["a", "a.b", "größe.x", "vm.started", "a/b:c@d#e-f_g"] {
            check(topic).unwrap();
        }
        assert!(check(&"a".repeat(TOPIC_LENGTH + 1)).is_err());
        assert!(check(&["a"; TOPIC_LEVELS + 1].join(".")).is_err());
        for pattern in ["a*", "a.b*", "a.>.b", ">.a", "a.**", "", "a..>"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
