//! Permissions: what a plugin asks for, what an operator grants, and the decision between them.
//!
//! A permission is written `area.verb` or `area.verb:pattern`; a leading `!` denies. The verb may be `*`. The pattern
//! narrows it to some targets (addresses, paths, topics, web addresses); without one every target is meant.

mod decision;
mod known;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use decision::{Decision, Refusal, Side, decide};
pub use known::{HOST_PERMISSIONS, HostPermission, is_host_permission, required};

use crate::glob::Glob;

/// Longest permission, and longest thing asked for, in bytes.
pub const PERMISSION_LENGTH: usize = 4096;

/// One permission. Shows itself as it was written.
///
/// `http.fetch` means `network.http`, `events.emit` means `bus.publish`: the names of the host functions are accepted
/// beside the names of the permissions that they need. Of topics, `module.` is another word for `plugin.`.
///
/// In a pattern `*` stands for any characters but `/`, `**` for any characters, `?` for one character but `/`; anything
/// else stands for itself. So `plugin.call:text-stats/*` is every action of that plugin without a slash in its name,
/// and `file.read:/data/**` everything below `/data`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Permission {
    text: String,
    deny: bool,
    area: String,
    verb: String,
    pattern: Option<Glob>,
}

/// Why a text is not a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// Not of the shape.
    #[error("`{0}` is not a permission: write AREA.VERB or AREA.VERB:PATTERN, for example `file.read:/data/**`")]
    Shape(String),
    /// An area or verb with other characters.
    #[error("`{word}` in `{text}` is not a word: use a-z, 0-9, _ and -, with a letter first")]
    Word {
        /// The area or verb.
        word: String,
        /// The whole permission.
        text: String,
    },
    /// A colon with nothing behind it.
    #[error("`{0}` ends in a colon: write a pattern behind it, or leave the colon out to mean every target")]
    EmptyPattern(String),
    /// Longer than any honest permission.
    #[error("a permission has at most {PERMISSION_LENGTH} bytes and 32 wildcards")]
    TooLong,
}

impl Permission {
    /// Reads a permission.
    ///
    /// # Errors
    /// Names the part that cannot be read. At most [`PERMISSION_LENGTH`] bytes and 32 wildcards are read.
    pub fn parse(text: &str) -> Result<Self, PermissionError> {
        if text.len() > PERMISSION_LENGTH {
            return Err(PermissionError::TooLong);
        }
        let (deny, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (name, target) = split_target(rest);
        let (area, verb) = name.split_once('.').ok_or_else(|| PermissionError::Shape(text.to_owned()))?;
        for (word, wildcard) in [(area, false), (verb, verb == "*")] {
            if !wildcard && !is_word(word) {
                return Err(PermissionError::Word { word: word.to_owned(), text: text.to_owned() });
            }
        }
        let (area, verb) = known::canonical(area, verb);
        let pattern = match target {
            Some("") => return Err(PermissionError::EmptyPattern(text.to_owned())),
            Some(target) => Some(Glob::parse(&known::target(area, target)).ok_or(PermissionError::TooLong)?),
            None => None,
        };
        Ok(Self { text: text.to_owned(), deny, area: area.to_owned(), verb: verb.to_owned(), pattern })
    }

    /// Whether it denies instead of allowing.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.deny
    }

    /// `area.verb`, with the names of host functions replaced by those of the permissions they need.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.area, self.verb)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this rule speaks about what is asked for, `area.verb` or `area.verb:target`: same area, same verb, and
    /// a target that the pattern matches. A rule with a pattern does not cover asking without a target; a denying rule
    /// does, since some of what is asked for is denied.
    ///
    /// Takes at most (length of the pattern × length of the target) steps.
    #[must_use]
    pub fn covers(&self, asked: &str) -> bool {
        let (name, target) = split_target(asked);
        let Some((area, verb)) = name.split_once('.') else { return false };
        let (area, verb) = known::canonical(area, verb);
        if asked.len() > PERMISSION_LENGTH || area != self.area || (self.verb != "*" && verb != self.verb) {
            return false;
        }
        match (&self.pattern, target) {
            (None, _) => true,
            (Some(_), None) => self.deny,
            (Some(pattern), Some(target)) => pattern.matches(&known::target(area, target)),
        }
    }
}

fn split_target(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, target)| (name, Some(target)))
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

impl FromStr for Permission {
    type Err = PermissionError;
    fn from_str(text: &str) -> Result<Self, PermissionError> {
        Self::parse(text)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
