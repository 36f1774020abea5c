//! What a kernel is made of: its plugins, policies, gate and events, and what happens when an instance is lost.

mod authority;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_lite::future::block_on;
use midplane_contract::manifest::DependencyKind;
use midplane_contract::{Code, Error, Limits, PluginId, Result, State};
use serde_json::{Value, json};

use crate::alarm::until;
use crate::assemble::{Plan, Runtimes};
use crate::availability::Wishes;
use crate::bounds::Bounds;
use crate::bus::Bus;
use crate::call::Deadline;
use crate::catalog::Catalog;
use crate::config::ConfigStore;
use crate::discover::{self, Found};
use crate::fetch::Fetch;
use crate::gate::Gate;
use crate::generation::Generation;
use crate::host::{Binding, Fetching, Given, Nested};
use crate::log::Log;
use crate::metrics::Metrics;
use crate::platform::Platform;
use crate::plugin::{Plugin, Source, Stay};
use crate::policy::Policy;
use crate::recovery::{Recovery, Strategy};
use crate::resolve::{PackageSource, Selection};
use crate::routes::Rules;
use crate::runtime::{CodeFacts, Host};
use crate::secret::Secrets;
use crate::services::Services;
use crate::slot::Slot;
use crate::store::Stores;
use crate::{describe, grants, hooks, operate, tasks};

/// What a kernel is made of. Its room sees it whole.
pub(crate) struct Inner {
    pub(crate) runtimes: Arc<Runtimes>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) selection: Selection,
    pub(super) plugins: RwLock<BTreeMap<PluginId, Arc<Plugin>>>,
    pub(super) policies: Mutex<BTreeMap<PluginId, Policy>>,
    pub(super) gate: Gate,
    /// Held while the gate is told what is granted: of two changes the later one counts.
    pub(super) granting: Mutex<()>,
    pub(crate) services: Services,
    pub(crate) rules: Rules,
    pub(crate) wishes: Wishes,
    pub(crate) bus: Bus,
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
    pub(crate) loads: async_lock::Semaphore,
    pub(crate) ending: operate::Ending,
    /// What opening the code and its hooks may take together in a load.
    pub(crate) load_time: Option<Duration>,
    pub(crate) strategy: Option<Arc<dyn Strategy>>,
    pub(crate) secrets: Arc<Secrets>,
    /// Below those of manifests.
    pub(super) limits: RwLock<Limits>,
    pub(super) bounds: RwLock<Bounds>,
    /// What calls in flight get at the end.
    pub(super) drain: Duration,
    pub(crate) store: Option<Arc<dyn ConfigStore>>,
    pub(super) sources: Vec<Arc<dyn PackageSource>>,
    /// Whether that could not be reached when something was last kept there.
    pub(crate) store_away: AtomicBool,
    pub(super) generations: AtomicU64,
    pub(super) cache: PathBuf,
    pub(crate) stores: Stores,
    pub(crate) metrics: Metrics,
    pub(crate) catalog: Catalog,
}

impl Inner {
    /// Sends an event of the host's own.
    pub(crate) fn announce(&self, event_type: &str, data: Value) {
        self.bus.announce(event_type, data);
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
        let asked = blocking::unblock(move || describe::bare(found, &runtimes, cache));
        let Some(time) = self.load_time else { return asked.await };
        until(Deadline::After(time).instant(), asked).await.unwrap_or_else(|_| Err(hooks::not_opened(time)))
    }

    pub(crate) fn register(&self, source: Source, found: Found, stay: Stay) -> Result<PluginId> {
        let id = found.manifest.id.clone();
        let disabled = grants::is_disabled(self.stores.state.as_ref(), &id)?;
        let policy = self.policy(&id);
        // What cannot be read now cannot be later, when nobody is there to be told.
        grants::of(self.stores.state.as_ref(), &id)?;
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plugins.get(&id) {
            let version = known.life().found.manifest.version.to_string();
            let message = format!("a plugin `{id}` is registered already, version {version}");
            return Err(Error::new(Code::AlreadyRegistered, message)
                .remedy("unregister it first, or give this one another id")
                .plugin(&id)
                .with("version", version));
        }
        let plugin = Arc::new(Plugin::new(id.clone(), source, found, self.services.changes()));
        (plugin.life().disabled, plugin.life().barred) = (disabled, !policy.enabled);
        plugin.life().stay = stay;
        self.heed(&id, Some(&plugin), Bounds::default(), self.bounds(&policy));
        plugins.insert(id.clone(), plugin);
        drop(plugins);
        self.renew_grants(&id);
        let missing = self.missing(&id);
        self.announce("plugin.registered", json!({ "plugin_id": id, "module_id": id, "missing": missing }));
        Ok(id)
    }

    /// What a plugin must have and is not registered in a version that fits.
    fn missing(&self, id: &PluginId) -> Vec<PluginId> {
        let Ok(plugin) = self.plugin(id) else { return Vec::new() };
        let needed = plugin.life().found.manifest.dependencies.clone();
        let required = needed.iter().filter(|needed| needed.kind != DependencyKind::Dev && !needed.optional);
        required.filter(|needed| operate::met(self, needed).is_err()).map(|needed| needed.id.clone()).collect()
    }

    pub(crate) fn remove(&self, id: &PluginId) {
        let gone = self.plugins.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        gone.iter().for_each(|plugin| plugin.inbox.retire());
        self.services.changed();
        self.gate.forget(id);
        self.wishes.forget(id);
        self.metrics.forget(id);
    }

    pub(crate) fn plugin(&self, id: &PluginId) -> Result<Arc<Plugin>> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.get(id).cloned().ok_or_else(|| {
            Error::new(Code::PluginNotFound, format!("there is no plugin `{id}`"))
                .remedy(registered(plugins.keys()))
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

    /// The plan of a next generation.
    pub(crate) fn plan(self: &Arc<Self>, id: &PluginId, found: Found, policy: Policy) -> Plan {
        let number = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let (kernel, plugin) = (Arc::downgrade(self), id.clone());
        let log = self.plugin(id).map_or_else(|_| Log::new(id.clone()), |plugin| plugin.log.clone());
        let bounds = self.bounds(&policy);
        let depth = bounds.depth();
        let fetching = Fetching::new();
        let given = Arc::new(Given::default());
        let (theirs, told) = (Arc::clone(&fetching), Arc::clone(&given));
        let host = move || -> Arc<dyn Host> {
            let (kernel, plugin, log) = (kernel.clone(), plugin.clone(), log.clone());
            let (fetching, seat) = (Arc::clone(&theirs), theirs.seat());
            let given = Arc::clone(&told);
            let nested = Nested::default();
            Arc::new(Binding { kernel, plugin, generation: number, log, depth, fetching, given, seat, nested })
        };
        Plan {
            plugin: id.clone(),
            number,
            late: self.load_time.map(|time| Deadline::After(time).instant()),
            limits: self.limits(&found.manifest.limits, &policy.limits),
            bounds,
            drain: self.drain,
            secrets: Arc::clone(&self.secrets),
            found,
            policy,
            cache: self.cache.clone(),
            runtimes: Arc::clone(&self.runtimes),
            platform: Arc::clone(&self.platform),
            host: Arc::new(host),
            fetching,
            given,
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
            return berth.reopen(generation);
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
            Recovery::Restart => tasks::apart(move || {
                if let Err(error) = block_on(operate::restart(&kernel, &plugin.id)) {
                    tracing::error!(plugin = %plugin.id, %error, "the restart failed");
                }
            }),
        }
    }
}

/// What is said of those that there are where one is missing.
pub(super) fn registered<'a>(ids: impl Iterator<Item = &'a PluginId>) -> String {
    let ids: Vec<&str> = ids.map(PluginId::as_str).collect();
    if ids.is_empty() { "none is registered".to_owned() } else { format!("registered: {}", ids.join(", ")) }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.bus.end();
        let plugins = self.plugins.get_mut().unwrap_or_else(PoisonError::into_inner);
        plugins.values().for_each(|plugin| plugin.inbox.retire());
    }
}
