//! Ranges of versions.

use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{VERSION_LENGTH, shorten, strip_v};

/// Comparators in one range at most.
const COMPARATORS: usize = 64;

/// Which versions are acceptable. Shows itself as it was written.
///
/// | written | means |
/// |---|---|
/// | `=1.2.3`, `>1.2.3`, `>=1.2.3`, `<2`, `<=2` | the comparison; a shorter version stands for all that begin with it |
/// | `^1.2.3`, bare `1.2.3` | the leftmost number that is not zero stays (as Cargo and npm's `^`) |
/// | `~1.2.3` | major and minor stay |
/// | `~>1.2.3`, `~>1.2` | the last number written may grow: `>=1.2.3 <1.3.0`, `>=1.2.0 <2.0.0` |
/// | `1.*`, `1.2.x` | any version that begins so |
/// | `*`, `latest` | any version |
/// | `a b`, `a, b` | both |
/// | `a \|\| b` | one of them |
///
/// `~>` is RubyGems' pessimistic operator (RubyGems guides, "Patterns: Pessimistic version constraint").
///
/// A pre-release matches only where the range names a pre-release of the same `MAJOR.MINOR.PATCH`: `>=1.2.0-rc.1`
/// takes `1.2.0-rc.2`, not `1.3.0-rc.1`, and `*` takes none. That is the rule of Cargo and npm. Build metadata does
/// not count.
#[derive(Debug, Clone)]
pub struct VersionRange {
    text: String,
    alternatives: Vec<VersionReq>,
}

/// Why a text is not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Nothing is there, or nothing on one side of `||`.
    #[error("the range `{0}` is empty or has an empty side; write `*` for any version")]
    Empty(String),
    /// An operator that does not exist.
    #[error("`{operator}` in `{text}` is not an operator; use one of = > >= < <= ^ ~ ~> ||")]
    UnknownOperator {
        /// What stands where an operator should.
        operator: String,
        /// The whole range.
        text: String,
    },
    /// An operator without a version behind it.
    #[error("`{operator}` in `{text}` has no version behind it; write, for example, `{operator}1.2.0`")]
    NoVersion {
        /// The operator.
        operator: String,
        /// The whole range.
        text: String,
    },
    /// A version that cannot be read.
    #[error("`{version}` in `{text}` is not a version: {reason}")]
    BadVersion {
        /// The version.
        version: String,
        /// The whole range.
        text: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// Longer than any honest range.
    #[error("the range `{0}` is too long: at most 256 bytes and 64 comparisons are read")]
    TooLong(String),
}

impl VersionRange {
    /// The range that every release matches.
    #[must_use]
    pub fn any() -> Self {
        Self { text: "*".to_owned(), alternatives: vec![VersionReq::STAR] }
    }

    /// Reads a range.
    ///
    /// # Errors
    /// Names the part that cannot be read. At most 256 bytes and 64 comparisons are read.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        if text.len() > VERSION_LENGTH {
            return Err(RangeError::TooLong(shorten(text)));
        }
        let alternatives = text.split("||").map(|side| parse_side(side, text)).collect::<Result<Vec<_>, _>>()?;
        if alternatives.iter().map(|side| side.comparators.len()).sum::<usize>() > COMPARATORS {
            return Err(RangeError::TooLong(shorten(text)));
        }
        Ok(Self { text: text.trim().to_owned(), alternatives })
    }

    /// Whether a version is acceptable.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|side| side.matches(version))
    }

    /// Whether a version is acceptable where pre-releases are welcome: one counts as standing between the release before
    /// it and its own. `>=1.2.0` takes `1.3.0-rc.1` and not `1.2.0-rc.1`; `<2` takes no pre-release of `2.0.0`.
    #[must_use]
    pub fn matches_prerelease(&self, version: &Version) -> bool {
        self.matches(version) || {
            let release = Version::new(version.major, version.minor, version.patch);
            let takes = |comparator: &Comparator| takes_prerelease(comparator, version, &release);
            self.alternatives.iter().any(|side| side.comparators.iter().all(takes))
        }
    }

    /// Whether the releases that are acceptable stand side by side in the order of versions: it has no `||`.
    #[must_use]
    pub fn is_one_stretch(&self) -> bool {
        self.alternatives.len() == 1
    }

    /// The range as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether one comparison takes a pre-release: it must take the release that it leads to, and, where a whole version is
/// the least that is taken, not stand below that.
fn takes_prerelease(comparator: &Comparator, version: &Version, release: &Version) -> bool {
    if comparator.matches(version) {
        return true;
    }
    let least = match (comparator.op, comparator.minor, comparator.patch) {
        (Op::Less | Op::LessEq | Op::Greater, ..) => None,
        (_, Some(minor), Some(patch)) => {
            Some(Version { pre: comparator.pre.clone(), ..Version::new(comparator.major, minor, patch) })
        }
        _ => None,
    };
    comparator.matches(release) && least.is_none_or(|least| *version >= least)
}

fn parse_side(side: &str, text: &str) -> Result<VersionReq, RangeError> {
    let mut comparators = Vec::new();
    let mut rest = skip_separators(side);
    if rest.is_empty() {
        return Err(RangeError::Empty(shorten(text)));
    }
    while !rest.is_empty() {
        let (operator, behind) = split_operator(rest);
        let behind = behind.trim_start();
        let end = behind.find(|c: char| c.is_whitespace() || c == ',' || is_operator_sign(c));
        let (version, next) = behind.split_at(end.unwrap_or(behind.len()));
        comparators.extend(comparators_of(operator, version, text)?);
        rest = skip_separators(next);
    }
    Ok(VersionReq { comparators })
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == ',')
}

fn is_operator_sign(c: char) -> bool {
    "=<>^~!|&".contains(c)
}

fn split_operator(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c| !is_operator_sign(c)).unwrap_or(text.len()))
}

fn comparators_of(operator: &str, version: &str, text: &str) -> Result<Vec<Comparator>, RangeError> {
    let known = ["", "=", ">", ">=", "<", "<=", "^", "~", "~>"];
    if !known.contains(&operator) {
        return Err(RangeError::UnknownOperator { operator: operator.to_owned(), text: shorten(text) });
    }
    if version.is_empty() {
        return Err(RangeError::NoVersion { operator: operator.to_owned(), text: shorten(text) });
    }
    if operator.is_empty() && matches!(version, "*" | "x" | "X" | "latest") {
        return Ok(Vec::new());
    }
    let sign = if operator == "~>" { ">=" } else { operator };
    let comparator = Comparator::parse(&format!("{sign}{}", strip_v(version))).map_err(|error| {
        RangeError::BadVersion { version: shorten(version), text: shorten(text), reason: error.to_string() }
    })?;
    if operator != "~>" {
        return Ok(vec![comparator]);
    }
    let below = pessimistic_ceiling(&comparator).ok_or_else(|| RangeError::BadVersion {
        version: shorten(version),
        text: shorten(text),
        reason: "its numbers are too large".to_owned(),
    })?;
    Ok(vec![comparator, below])
}

/// The first version that `~>` no longer takes: the number before the last one written, plus one. `~>1` is `<2`.
fn pessimistic_ceiling(floor: &Comparator) -> Option<Comparator> {
    let (major, minor) = match (floor.minor, floor.patch) {
        (Some(minor), Some(_)) => (floor.major, minor.checked_add(1)?),
        _ => (floor.major.checked_add(1)?, 0),
    };
    Some(Comparator { op: Op::Less, major, minor: Some(minor), patch: Some(0), pre: Prerelease::EMPTY })
}

impl FromStr for VersionRange {
    type Err = RangeError;
    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::parse(text)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Ranges are the same when they say the same, however they are spaced.
impl PartialEq for VersionRange {
    fn eq(&self, other: &Self) -> bool {
        self.alternatives == other.alternatives
    }
}

impl Eq for VersionRange {}

impl Serialize for VersionRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for VersionRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
