//! What a plugin answers when it is asked how it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a plugin says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Everything works.
    Healthy,
    /// It works with restrictions.
    Degraded,
    /// It does not do its work.
    Unhealthy,
}

/// The answer of the `health` hook: `{status, details}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The plugin's own verdict.
    pub status: HealthStatus,
    /// Whatever the plugin wants an operator to see.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Health {
    /// Healthy, without details: what a plugin without a `health` hook is while it answers.
    #[must_use]
    pub fn healthy() -> Self {
        Self { status: HealthStatus::Healthy, details: Map::new() }
    }
}
