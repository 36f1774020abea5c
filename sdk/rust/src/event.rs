//! What hooks are told about: events of the bus, and dependencies that come and go.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event of a subscribed topic, as the `event` hook gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// UUIDv7.
    #[serde(default)]
    pub event_id: String,
    /// The topic.
    pub event_type: String,
    /// The plugin that published it, or `core`.
    #[serde(default)]
    pub sender: String,
    /// The event's data.
    #[serde(default)]
    pub data: Value,
    /// When it was published, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// Media type of `data`; empty means JSON.
    #[serde(default)]
    pub content_type: String,
    /// W3C `traceparent` of the publisher.
    #[serde(default)]
    pub trace: Option<String>,
}

/// An optional dependency that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The plugin's id.
    pub id: String,
    /// Whether it can be called.
    pub available: bool,
}
