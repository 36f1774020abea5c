//! What an operator decides about one plugin.

use midplane_contract::{Code, Error, Limits, Manifest, Permission, Placement, Result, RuntimeKind, Trust};
use serde_json::{Map, Value};

use crate::bounds::Bounds;

/// An operator's word on one plugin. The default trusts normally, grants nothing and changes nothing.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether the plugin may be loaded and started at all. What runs goes on running until it is stopped.
    pub enabled: bool,
    /// How far the plugin is trusted.
    pub trust: Trust,
    /// The runtime that its manifest has to name, as a check; `None` for any.
    pub runtime: Option<RuntimeKind>,
    /// Where it runs; `None` leaves that to the manifest and the contract.
    pub placement: Option<Placement>,
    /// Permissions granted, and with `!` denied.
    pub grants: Vec<Permission>,
    /// Configuration, laid over the manifest's.
    pub config: Map<String, Value>,
    /// Limits; each one that is set takes the place of the manifest's.
    pub limits: Limits,
    /// Limits that manifests know nothing of.
    pub bounds: Bounds,
    /// Among providers of one interface, and handlers of one action or file, the highest goes first.
    pub priority: i32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            trust: Trust::Normal,
            runtime: None,
            placement: None,
            grants: Vec::new(),
            config: Map::new(),
            limits: Limits::default(),
            bounds: Bounds::default(),
            priority: 0,
        }
    }
}

impl Policy {
    /// Whether a plugin is of the kind that the operator takes it for.
    ///
    /// # Errors
    /// `config_invalid`, naming both kinds.
    pub(crate) fn expects(&self, manifest: &Manifest) -> Result<()> {
        let found = manifest.entry.runtime;
        match self.runtime.filter(|wanted| *wanted != found) {
            None => Ok(()),
            Some(wanted) => {
                let message = format!("the settings take the plugin for `{wanted}`, and its manifest says `{found}`");
                Err(Error::new(Code::ConfigInvalid, message)
                    .remedy("correct its `type` in the settings, or see whether it is another plugin"))
            }
        }
    }
}

/// Limits with the operator's laid over the manifest's.
pub(crate) fn effective(manifest: &Limits, operator: &Limits) -> Limits {
    Limits {
        memory: operator.memory.or(manifest.memory),
        cpu: operator.cpu.or(manifest.cpu),
        disk_io: operator.disk_io.or(manifest.disk_io),
        network_io: operator.network_io.or(manifest.network_io),
        call_deadline_ms: operator.call_deadline_ms.or(manifest.call_deadline_ms),
        hook_deadline_ms: operator.hook_deadline_ms.or(manifest.hook_deadline_ms),
        threads: operator.threads.or(manifest.threads),
        file_descriptors: operator.file_descriptors.or(manifest.file_descriptors),
        connections: operator.connections.or(manifest.connections),
        queue: operator.queue.or(manifest.queue),
        payload: operator.payload.or(manifest.payload),
        table_elements: operator.table_elements.or(manifest.table_elements),
    }
}
