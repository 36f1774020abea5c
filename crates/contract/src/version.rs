//! Versions and ranges.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use semver::Version;

/// Which versions are acceptable. Keeps the text it was written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    text: String,
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for VersionRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for VersionRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: String::deserialize(deserializer)? })
    }
}
