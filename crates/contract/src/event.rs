//! The envelope that every event travels in, and the names of Midplane's own events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One event. Embedders' own events use the same envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// UUID version 7: sorts by time.
    pub event_id: Uuid,
    /// Dotted name, for example `plugin.loaded`.
    pub event_type: String,
    /// The plugin that sent it, or `core`.
    pub sender: String,
    /// The event's own content.
    #[serde(default)]
    pub data: Value,
    /// When it was sent, RFC 3339.
    pub timestamp: Timestamp,
    /// How `data` is encoded.
    #[serde(default = "json")]
    pub content_type: String,
    /// W3C trace context of the sender, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

fn json() -> String {
    "application/json".to_owned()
}
