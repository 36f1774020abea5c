//! Snapshots of plugins for observers.

use std::time::Duration;

use jiff::Timestamp;
use midplane_contract::{Error, Instances, Manifest, PluginId, State};
use serde::Serialize;

use crate::lane::CallCounts;
use crate::plugin::Plugin;

/// What there is to know of one plugin at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Its id.
    pub id: PluginId,
    /// Where it stands.
    pub state: State,
    /// The requirement documents' word for that.
    pub known_as: &'static str,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Error>,
    /// Kept from being started by the operator.
    pub disabled: bool,
    /// The folder it was found in.
    pub path: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was last loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_loaded_at: Option<Timestamp>,
    /// How often it was loaded.
    pub load_count: u64,
    /// Seconds since it began to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<f64>,
    /// The latest error: of a call, an instance or the plugin. Its `timestamp` says when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Error>,
    /// What is loaded, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationStatus>,
    /// Exact counts of its calls since it was registered.
    pub calls: CallCounts,
    /// Calls that failed, as a share of all; 0 without calls.
    pub error_rate: f64,
    /// Its events.
    pub events: EventCounts,
    /// Calls that wait for an instance just now.
    pub waiting: usize,
    /// Memory of its instances that are not on a call just now, where it can be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_usage_bytes: Option<u64>,
    /// Running, and fewer than one call in ten failed.
    pub is_healthy: bool,
}

/// What a plugin's events came to, since it was registered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EventCounts {
    /// What it subscribes to.
    pub subscriptions: Vec<String>,
    /// Events that its `event` hook has handled, those that it failed included; exact.
    pub processed: u64,
    /// Those that it failed; exact.
    pub errors: u64,
    /// Events that gave way to others, or came when it could take none; exact.
    pub dropped: u64,
    /// Events that wait for it.
    pub waiting: usize,
    /// When it handled the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity: Option<Timestamp>,
}

/// What there is to know of a loaded generation.
#[derive(Debug, Clone, Serialize)]
pub struct GenerationStatus {
    /// Its number.
    pub number: u64,
    /// `native/worker` and the like: runtime and effective isolation.
    pub runtime: String,
    /// How far it is trusted.
    pub trust: &'static str,
    /// Identity of the loaded code.
    pub build_id: String,
    /// Why the code cannot leave memory, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stays_loaded: Option<String>,
    /// The actions it answers.
    pub actions: Vec<String>,
    /// The hooks it has.
    pub hooks: Vec<&'static str>,
    /// How many instances there can be.
    pub instances: Instances,
    /// Milliseconds from the manifest to initialized instances.
    pub load_time_ms: f64,
    /// What the runtime has to show.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// Takes a snapshot.
pub(crate) fn of(plugin: &Plugin) -> Status {
    let core = &plugin.slot.core;
    let calls = plugin.slot.counts();
    let memory_usage_bytes = core.berth().memory();
    let generation = core.generation().map(|generation| {
        let facts = generation.code.facts();
        GenerationStatus {
            number: generation.number,
            runtime: generation.runtime_label(),
            trust: generation.trust.as_str(),
            build_id: facts.build_id.clone(),
            stays_loaded: facts.stays_loaded.clone(),
            actions: generation.actions().map(|(_, name)| name.to_string()).collect(),
            hooks: facts.hooks.iter().map(|hook| hook.name()).collect(),
            instances: generation.instances,
            load_time_ms: generation.load_time.as_secs_f64() * 1e3,
            details: facts.details.clone().into_iter().chain(generation.code.details()).collect(),
        }
    });
    let of_a_call = core.last_error();
    let life = plugin.life();
    let latest = |error: &Error| error.record().timestamp;
    let last_error = life.last_error.clone().into_iter().chain(of_a_call).max_by_key(latest);
    let error_rate = calls.error_rate();
    Status {
        id: plugin.id.clone(),
        state: life.state,
        known_as: life.state.known_as(),
        cause: life.cause.clone(),
        disabled: life.disabled || life.barred,
        path: life.found.folder.display().to_string(),
        manifest: life.found.manifest.clone(),
        registered_at: life.registered_at,
        last_loaded_at: life.loaded_at,
        load_count: life.loads,
        uptime_seconds: life.running_since.map(|since| since.elapsed().as_secs_f64()),
        last_error,
        generation,
        calls,
        error_rate,
        events: plugin.inbox.counts(),
        waiting: plugin.slot.waiting(),
        memory_usage_bytes,
        is_healthy: matches!(life.state, State::Running | State::Updating)
            && error_rate < midplane_contract::defaults::UNHEALTHY_ERROR_RATE,
    }
}

impl CallCounts {
    /// Failed calls as a share of all; 0 without calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn error_rate(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { self.errors as f64 / self.calls as f64 }
    }

    /// Average of the timed calls.
    #[must_use]
    pub fn average(&self) -> Option<Duration> {
        self.timed_nanos.checked_div(self.timed).map(Duration::from_nanos)
    }
}
