//! What a plugin says of itself through the `info` hook.

use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use crate::ActionSpec;
use crate::manifest::Dependency;

/// A plugin's own report. A bare file without a manifest is described by it alone; beside a manifest it may add
/// actions but never contradict id or version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginInfo {
    /// The plugin's id; a bare file without one takes its file stem.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Semantic version as text; empty means the manifest's.
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
    /// The actions that the code answers, in the code's own order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionSpec>,
    /// The plugins that the code needs; they count like those of the manifest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Configuration that the code starts from.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// When it was made, as the plugin writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// When it was last changed, as the plugin writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub updated_at: String,
}
