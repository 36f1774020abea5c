//! The definition of an interface: what whoever provides it has to offer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ActionName, Version};

/// The interface that every plugin is held to, if it is defined.
pub const EVERY_PLUGIN: &str = "plugin";

/// A named, versioned set of actions that several plugins may provide.
///
/// Plugins name it in their manifest's `interfaces.provides` and are checked against it when they start. The definition
/// named [`EVERY_PLUGIN`] is asked of every plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name, as manifests say it.
    pub name: String,
    /// Its version. Several versions of one interface may be defined.
    pub version: Version,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its actions.
    #[serde(default)]
    pub actions: Vec<InterfaceAction>,
    /// How many capabilities a provider declares at least.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub capabilities: usize,
}

/// One action of an interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceAction {
    /// The name callers use.
    pub name: ActionName,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// JSON Schema of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// A provider may do without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// A call may be repeated, at another provider as well, without changing the outcome.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// The provider is called with this input before it is offered to anybody, and its answer has to fit `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Value>,
}

/// The definitions that come along: what requirements 003 and 004 hold plugins to. They count where somebody asks for them.
const KNOWN: [&str; 4] = [
    include_str!("../../../contract/interfaces/music-source.json"),
    include_str!("../../../contract/interfaces/player.json"),
    include_str!("../../../contract/interfaces/plugin.json"),
    include_str!("../../../contract/interfaces/ui-extension.json"),
];

impl Interface {
    /// The definitions that come along, by name: `music-source`, `player`, `plugin` and `ui-extension`.
    pub fn known() -> impl Iterator<Item = Self> {
        // That all of them can be read is a test.
        KNOWN.iter().filter_map(|text| serde_json::from_str(text).ok())
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_along_asks_for_what_the_requirements_ask_for() {
        let known: Vec<Interface> = Interface::known().collect();
        let names: Vec<&str> = known.iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!(names, ["music-source", "player", "plugin", "ui-extension"]);
        let required = |name: &str| -> Vec<String> {
            let interface = known.iter().find(|interface| interface.name == name).unwrap();
            let required = interface.actions.iter().filter(|action| !action.optional);
            required.map(|action| action.name.to_string()).collect()
        };
        assert_eq!(required("music-source"), ["search", "get_song_url"]);
        assert_eq!(required("player"), ["get_state"]);
        assert_eq!(required("ui-extension"), ["get_supported_themes"]);
        assert_eq!(known[2].capabilities, 1);
    }
}
