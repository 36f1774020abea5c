//! How a plugin says it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// It works, but not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// Answer of the `health` hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The verdict.
    pub status: HealthStatus,
    /// Anything worth showing beside it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Health {
    /// A verdict without details.
    #[must_use]
    pub fn new(status: HealthStatus) -> Self {
        Self { status, details: Map::new() }
    }

    /// All is well.
    #[must_use]
    pub fn healthy() -> Self {
        Self::new(HealthStatus::Healthy)
    }

    /// It works, but not as it should.
    #[must_use]
    pub fn degraded() -> Self {
        Self::new(HealthStatus::Degraded)
    }

    /// It does not work.
    #[must_use]
    pub fn unhealthy() -> Self {
        Self::new(HealthStatus::Unhealthy)
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }
}
