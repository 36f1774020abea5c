//! Versions and ranges.
//!
//! A version is Semantic Versioning 2.0.0, with an optional leading `v`. Ranges are in [`VersionRange`].

mod range;

pub use range::{RangeError, VersionRange};
pub use semver::Version;

/// Longest version or range text that is read, in bytes.
pub const VERSION_LENGTH: usize = 256;

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}; write MAJOR.MINOR.PATCH, for example 1.2.3 or 1.2.0-rc.1")]
pub struct VersionError {
    /// The text as written, shortened when it is long.
    pub text: String,
    /// Which rule it breaks.
    pub reason: String,
}

/// Reads a version. A leading `v` is accepted and dropped; pre-release and build parts are kept.
///
/// # Errors
/// Names the rule that the text breaks. Numbers with leading zeros are refused, as the specification asks.
pub fn parse_version(text: &str) -> Result<Version, VersionError> {
    let fail = |reason: String| VersionError { text: shorten(text), reason };
    if text.len() > VERSION_LENGTH {
        return Err(fail(format!("it is longer than {VERSION_LENGTH} bytes")));
    }
    Version::parse(strip_v(text)).map_err(|error| fail(error.to_string()))
}

/// Drops a leading `v` that a digit follows.
fn strip_v(text: &str) -> &str {
    match text.strip_prefix('v') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// Enough of a text to recognize it in a message.
fn shorten(text: &str) -> String {
    if text.len() <= 64 { text.to_owned() } else { text.chars().take(60).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_v_is_dropped_and_every_other_part_is_kept() {
        assert_eq!(parse_version("v1.2.3").unwrap(), Version::new(1, 2, 3));
        assert_eq!(parse_version("1.2.0-rc.1+build.5").unwrap().to_string(), "1.2.0-rc.1+build.5");
    }

    #[test]
    fn what_is_no_semantic_version_is_refused_with_the_rule() {
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-", "vv1.2.3", "v", "1.2.x", "a.b.c", " 1.2.3"] {
            let error = parse_version(bad).unwrap_err();
            assert!(error.to_string().contains("MAJOR.MINOR.PATCH"), "{bad}: {error}");
        }
        assert!(parse_version(&"1".repeat(300)).unwrap_err().to_string().len() < 250);
    }
}
