//! What there is to know of a plugin that is or was connected.

use jiff::Timestamp;
use midplane_contract::{Error, Health, PluginId, State};
use serde::Serialize;
use serde_json::Value;

use crate::roster::Entry;

/// One plugin, connected or not, at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Its id.
    pub id: PluginId,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The number of its process on its own machine, if it has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_id: Option<u64>,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// Where it stands with the kernel; `None` when it has been unregistered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<State>,
    /// Whether its connection holds.
    pub connected: bool,
    /// Why its latest connection ended, once it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// Where its latest connection came from.
    pub from: String,
    /// When that began.
    pub connected_at: Timestamp,
    /// How often it has connected.
    pub connections: u64,
    /// When it last answered a ping, or sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ping: Option<Timestamp>,
    /// How often it did on this connection.
    pub pings: u64,
    /// Its configuration as of the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Its health as of the last check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Why it was not taken in, or why a check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Error>,
}

impl Record {
    pub(crate) fn of(id: &PluginId, entry: &Entry, status: Option<State>) -> Self {
        let gone = entry.link.reason();
        let (last_ping, pings) = entry.link.pings();
        Self {
            id: id.clone(),
            name: entry.name.clone(),
            version: entry.version.clone(),
            process_id: entry.process_id,
            capabilities: entry.capabilities.clone(),
            status,
            connected: gone.is_none(),
            gone,
            from: entry.from.clone(),
            connected_at: entry.connected_at,
            connections: entry.connections,
            last_ping,
            pings,
            config: entry.config.clone(),
            health: entry.health.clone(),
            last_error: entry.last_error.clone(),
        }
    }
}
