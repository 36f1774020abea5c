//! The description of an action.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::ActionName;

/// One named operation of a plugin. In a manifest either a bare name or a map with these fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionSpec {
    /// The name callers use.
    pub name: ActionName,
    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// JSON Schema of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// A call may be repeated without changing the outcome.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// Longest time a call may take, in milliseconds; the default is the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

impl ActionSpec {
    /// An action with a name and nothing else.
    #[must_use]
    pub fn named(name: ActionName) -> Self {
        Self { name, description: None, input: None, output: None, idempotent: false, deadline_ms: None }
    }
}

impl<'de> Deserialize<'de> for ActionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Name(ActionName),
            Full {
                name: ActionName,
                description: Option<String>,
                input: Option<Value>,
                output: Option<Value>,
                #[serde(default)]
                idempotent: bool,
                deadline_ms: Option<u64>,
            },
        }
        Ok(match Shape::deserialize(deserializer)? {
            Shape::Name(name) => Self::named(name),
            Shape::Full { name, description, input, output, idempotent, deadline_ms } => {
                Self { name, description, input, output, idempotent, deadline_ms }
            }
        })
    }
}
