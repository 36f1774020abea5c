//! Who a plugin is: what it says of itself, and what the host says to an instance.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a plugin says of itself. Empty fields are taken from the manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// The plugin's id; empty means the manifest's, or the file's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Semantic version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// SPDX expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub license: String,
    /// A web address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub homepage: String,
    /// Search words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it can do, in an application's own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Its actions; filled in from the definition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionInfo>,
}

/// What a plugin says of one action.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionInfo {
    /// Its name: letters, digits and `_ . : / @ # -`.
    pub name: String,
    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// JSON Schema of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Whether calling twice does no more than calling once; only then does the host ever retry it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// Longest call, in milliseconds; the default is the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// What the host says to an instance about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The plugin's id.
    pub id: String,
    /// The plugin's version.
    pub version: String,
    /// Which loaded version of the plugin this is; grows with each reload.
    pub generation: u64,
    /// The instance's number within the generation, from 0.
    pub instance: u32,
}

/// What `plugin!` stamps into a library from its `Cargo.toml`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamp {
    /// `CARGO_PKG_NAME`.
    pub name: &'static str,
    /// `CARGO_PKG_VERSION`.
    pub version: &'static str,
    /// `CARGO_PKG_DESCRIPTION`.
    pub description: &'static str,
    /// `CARGO_PKG_AUTHORS`.
    pub authors: &'static str,
    /// `CARGO_PKG_LICENSE`.
    pub license: &'static str,
    /// `CARGO_PKG_HOMEPAGE`.
    pub homepage: &'static str,
}

impl Stamp {
    /// Fills the fields that a definition left empty, except the id: a crate's name is seldom the plugin's.
    pub(crate) fn fill(self, info: &mut Info) {
        for (field, stamped) in [
            (&mut info.name, self.name),
            (&mut info.version, self.version),
            (&mut info.description, self.description),
            (&mut info.author, self.authors),
            (&mut info.license, self.license),
            (&mut info.homepage, self.homepage),
        ] {
            if field.is_empty() {
                stamped.clone_into(field);
            }
        }
    }
}
