//! What a kernel is made of: its plugins, policies, gate and events, and what happens when an instance is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_lite::future::block_on;
use midplane_contract::{Code, Envelope, Error, PluginId, Result, State};
use serde_json::{Value, json};

use crate::assemble::{Plan, Runtimes};
use crate::call::Scope;
use crate::discover::{self, Found};
use crate::events::Events;
use crate::fetch::{Fetch, Place, Reach};
use crate::gate::Gate;
use crate::generation::Generation;
use crate::host::{Binding, Fetching};
use crate::plugin::{Plugin, Source};
use crate::policy::Policy;
use crate::recovery::{Recovery, Strategy};
use crate::routes::Rules;
use crate::runtime::{CodeFacts, Host};
use crate::services::Services;
use crate::slot::Slot;
use crate::{describe, operate};

/// What a kernel is made of. Its room sees it whole.
pub(crate) struct Inner {
    pub(crate) runtimes: Arc<Runtimes>,
    pub(super) plugins: RwLock<BTreeMap<PluginId, Arc<Plugin>>>,
    pub(super) policies: Mutex<BTreeMap<PluginId, Policy>>,
    pub(super) gate: Gate,
    pub(crate) events: Events,
    pub(crate) services: Services,
    pub(crate) rules: Rules,
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
    pub(crate) loads: async_lock::Semaphore,
    pub(crate) strategy: Option<Arc<dyn Strategy>>,
    pub(super) generations: AtomicU64,
    pub(super) cache: PathBuf,
}

impl Inner {
    /// Sends an event of the host's own.
    pub(crate) fn announce(&self, event_type: &str, data: Value) {
        self.events.publish(Envelope::from_core(event_type, data));
    }

    /// Reads what stands at a path; a bare file is asked who it is.
    pub(crate) async fn find(self: &Arc<Self>, path: &Path) -> Result<Found> {
        let path = path.to_path_buf();
        let found = blocking::unblock(move || discover::read(&path)).await?;
        if !found.bare {
            return Ok(found);
        }
        self.described(found).await.map(|(found, _)| found)
    }

    /// A bare file with what it says of itself.
    pub(super) async fn described(&self, found: Found) -> Result<(Found, CodeFacts)> {
        let (runtimes, cache) = (Arc::clone(&self.runtimes), self.cache.clone());
        blocking::unblock(move || describe::bare(found, &runtimes, cache)).await
    }

    pub(crate) fn register(&self, source: Source, found: Found) -> Result<PluginId> {
        let id = found.manifest.id.clone();
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plugins.get(&id) {
            let version = known.life().found.manifest.version.to_string();
            let message = format!("a plugin `{id}` is registered already, version {version}");
            return Err(Error::new(Code::AlreadyRegistered, message)
                .remedy("unregister it first, or give this one another id")
                .plugin(&id)
                .with("version", version));
        }
        let declared = found.manifest.permissions.clone();
        plugins.insert(id.clone(), Arc::new(Plugin::new(id.clone(), source, found, self.services.changes())));
        drop(plugins);
        self.gate.set(&id, declared, self.policy(&id).grants);
        self.announce("plugin.registered", json!({ "plugin_id": id, "module_id": id }));
        Ok(id)
    }

    pub(crate) fn remove(&self, id: &PluginId) {
        self.plugins.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.services.changed();
        self.gate.forget(id);
    }

    pub(crate) fn plugin(&self, id: &PluginId) -> Result<Arc<Plugin>> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.get(id).cloned().ok_or_else(|| {
            let known: Vec<&str> = plugins.keys().map(PluginId::as_str).collect();
            let known = if known.is_empty() { "none is registered".to_owned() } else { known.join(", ") };
            Error::new(Code::PluginNotFound, format!("there is no plugin `{id}`"))
                .remedy(format!("registered: {known}"))
                .plugin(id)
        })
    }

    pub(crate) fn plugins(&self) -> Vec<Arc<Plugin>> {
        self.plugins.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn slot_of(&self, id: &PluginId) -> Result<Slot> {
        Ok(self.plugin(id)?.slot.clone())
    }

    /// The generation of that number, while it is the one in use.
    pub(crate) fn generation_of(&self, id: &PluginId, number: u64) -> Option<Arc<Generation>> {
        self.plugin(id).ok()?.slot.core.generation().filter(|generation| generation.number == number)
    }

    pub(crate) fn policy(&self, id: &PluginId) -> Policy {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default()
    }

    pub(crate) fn set_policy(&self, id: &PluginId, policy: Policy) {
        let declared = self.plugin(id).map(|plugin| plugin.life().found.manifest.permissions.clone());
        if let Ok(declared) = declared {
            self.gate.set(id, declared, policy.grants.clone());
        }
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), policy);
        self.services.changed();
    }

    /// Takes over what a manifest that was read anew declares.
    pub(crate) fn refresh_gate(&self, id: &PluginId, found: &Found) {
        self.gate.set(id, found.manifest.permissions.clone(), self.policy(id).grants);
    }

    /// Asks the gate, and tells everybody when it denies.
    pub(crate) fn check(&self, plugin: &PluginId, scope: &Scope, asked: &str) -> Result<()> {
        self.gate.check(plugin, scope, asked).inspect_err(|error| self.denied(plugin, error))
    }

    /// As [`Inner::check`], for a place in the web: how far its name reaches.
    pub(crate) fn check_web(&self, plugin: &PluginId, scope: &Scope, place: &Place<'_>) -> Result<Reach> {
        self.gate.check_web(plugin, scope, place).inspect_err(|error| self.denied(plugin, error))
    }

    fn denied(&self, plugin: &PluginId, error: &Error) {
        tracing::warn!(%plugin, %error, "permission denied");
        self.announce("plugin.permission_denied", json!({ "plugin_id": plugin, "error": error }));
    }

    /// The plan of a next generation.
    pub(crate) fn plan(self: &Arc<Self>, id: &PluginId, found: Found, policy: Policy) -> Plan {
        let number = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let (kernel, plugin) = (Arc::downgrade(self), id.clone());
        let fetching = Fetching::new();
        let theirs = Arc::clone(&fetching);
        let host = move || -> Arc<dyn Host> {
            let (fetching, seat) = (Arc::clone(&theirs), theirs.seat());
            Arc::new(Binding { kernel: kernel.clone(), plugin: plugin.clone(), generation: number, fetching, seat })
        };
        Plan {
            plugin: id.clone(),
            number,
            found,
            policy,
            cache: self.cache.clone(),
            runtimes: Arc::clone(&self.runtimes),
            host: Box::new(host),
            fetching,
        }
    }

    /// An instance of a generation died, or could not be made.
    pub(crate) fn lost(self: &Arc<Self>, id: &PluginId, generation: u64, cause: Error) {
        let Ok(plugin) = self.plugin(id) else { return };
        let core = &plugin.slot.core;
        let current = core.generation().is_some_and(|current| current.number == generation);
        if cause.code() == Code::Crashed {
            self.announce("plugin.crashed", json!({ "plugin_id": id, "error": cause }));
        }
        plugin.life().last_error = Some(cause.clone());
        if !current || plugin.state() == State::Unloading {
            return;
        }
        let berth = core.berth();
        berth.sweep_lost();
        if berth.is_populated() {
            tracing::warn!(plugin = %id, error = %cause, "an instance is lost, others go on");
            return;
        }
        if cause.code() == Code::PeerGone {
            return operate::leave(self, &plugin, &cause);
        }
        if operate::fail(self, &plugin, &cause) {
            self.recover(&plugin, &cause);
        }
    }

    fn recover(self: &Arc<Self>, plugin: &Arc<Plugin>, cause: &Error) {
        let Some(strategy) = &self.strategy else { return };
        strategy.handle(cause);
        let recovery = strategy.recovery(cause);
        let (kernel, plugin) = (Arc::clone(self), Arc::clone(plugin));
        match recovery {
            Recovery::LeaveFailed => {}
            Recovery::Quarantine => operate::quarantine(&kernel, &plugin, cause),
            Recovery::Restart => blocking::unblock(move || {
                if let Err(error) = block_on(operate::restart(&kernel, &plugin.id)) {
                    tracing::error!(plugin = %plugin.id, %error, "the restart failed");
                }
            })
            .detach(),
        }
    }
}
