//! The kernel's face: what an embedder, the command line and the daemon use.

mod builder;
mod catalog;
mod dependencies;
mod grants;
mod inner;
mod install;
mod registry;

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{
    ActionName, Address, Code, Error, Health, Interface, Limits, Manifest, PluginId, Result, State, VersionRange,
    defaults,
};
use serde_json::{Map, Value};

use crate::action::{Action, CallOptions};
use crate::assemble::Runtimes;
use crate::bounds::Bounds;
use crate::bus::{Bus, Message, Receipt};
use crate::discover::{self, Found};
use crate::lasting::to_its_end;
use crate::metrics::Series;
use crate::platform::{Platform, Rules};
use crate::plugin::Source;
use crate::policy::Policy;
use crate::resolve::Selection;
use crate::routes::{self, Route, Row, Rule};
use crate::runtime::{CodeFacts, Runtime};
use crate::services::{self, Choice, Provider, Service};
use crate::slot::Slot;
use crate::status::{self, Status};
use crate::store::Stores;
use crate::{describe, guest, operate, probe, pump};

pub use builder::Builder;
pub use catalog::Record;
pub(crate) use inner::Inner;
pub use install::Reinstated;

/// One kernel with its plugins. Cheap to clone; the last clone that goes takes the plugins with it.
#[derive(Clone)]
pub struct Kernel {
    inner: Arc<Inner>,
}

impl Kernel {
    /// Begins a kernel without any runtime; `midplane::kernel()` has them all.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            runtimes: Runtimes::new(),
            cache: None,
            strategy: None,
            loads: defaults::CONCURRENT_LOADS,
            load_time: None,
            rules: Rules::default(),
            selection: Selection::default(),
            adapters: Vec::new(),
            capabilities: Vec::new(),
            secrets: std::collections::BTreeMap::new(),
            limits: Limits::default(),
            bounds: Bounds::default(),
            drain: defaults::SHUTDOWN_DRAIN,
            store: None,
            stores: Stores::default(),
            fetch: None,
        }
    }

    /// Sets what the operator decides about a plugin, registered or not. Trust, placement, limits and configuration
    /// count from the next load; grants count at once.
    pub fn set_policy(&self, id: &PluginId, policy: Policy) {
        self.inner.set_policy(id, policy);
    }

    /// What the operator has decided about a plugin so far, and what a store has kept of it.
    #[must_use]
    pub fn policy(&self, id: &PluginId) -> Policy {
        self.inner.policy(id)
    }

    /// Registers a plugin folder, manifest, or bare file; no code stays loaded. A bare file is asked who it is.
    ///
    /// # Errors
    /// What is wrong with the manifest, all at once; `already_registered {version}` when the id is taken.
    pub async fn register(&self, path: impl AsRef<Path>) -> Result<PluginId> {
        let path = path.as_ref().to_path_buf();
        let found = self.inner.find(&path).await?;
        self.inner.register(Source::Path(path), found)
    }

    /// Registers a plugin that has come to the host by itself, with the runtime that executes it: nothing is read, and
    /// its manifest's runtime and placement are not looked up. One that was adopted before is not registered again:
    /// this is then what its next load, or a reload while it runs, brings in.
    ///
    /// An instance that is lost with the code `peer_gone` leaves its plugin `stopped`; to load it again, adopt it again.
    ///
    /// # Errors
    /// `already_registered` when the id is that of a plugin with a path.
    pub fn adopt(&self, manifest: Manifest, runtime: Arc<dyn Runtime>) -> Result<PluginId> {
        guest::adopt(&self.inner, manifest, runtime)
    }

    /// Reads a plugin folder, manifest, or bare file without registering it. A bare file is asked who it is, and what its
    /// runtime found out is returned as well; code that has a manifest is not touched.
    ///
    /// # Errors
    /// As [`Kernel::register`].
    pub async fn describe(&self, path: impl AsRef<Path>) -> Result<(Found, Option<CodeFacts>)> {
        let path = path.as_ref().to_path_buf();
        let found = blocking::unblock(move || discover::read(&path)).await?;
        match found.bare {
            true => self.inner.described(found).await.map(|(found, facts)| (found, Some(facts))),
            false => Ok((found, None)),
        }
    }

    /// Why a plugin would not be loaded under this policy, beside what [`discover::check`] says: its placement, the
    /// limits that this placement cannot hold, its configuration. No code is touched.
    #[must_use]
    pub fn refusals(&self, manifest: &Manifest, policy: &Policy) -> Vec<Error> {
        describe::refusals(&self.inner, manifest, policy)
    }

    /// Forgets a plugin that is not loaded.
    ///
    /// # Errors
    /// `already_loaded` while it is, `plugin_not_found`, `has_dependents`.
    pub async fn unregister(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::unregister(&kernel, &id).await }).await
    }

    /// Loads and starts a registered plugin, with the plugins it depends on.
    ///
    /// # Errors
    /// `already_loaded`, and everything that can go wrong on the way; the plugin is then `failed` with that cause.
    /// As with every operation of a kernel: dropping the future lets it go on to its end, unwatched.
    pub async fn load(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::load(&kernel, &id, true).await }).await
    }

    /// Loads a registered plugin without starting it.
    ///
    /// # Errors
    /// As [`Kernel::load`].
    pub async fn load_stopped(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::load(&kernel, &id, false).await }).await
    }

    /// [`Kernel::load`] unless the plugin runs already.
    ///
    /// # Errors
    /// As [`Kernel::load`], but never `already_loaded`.
    pub async fn ensure_loaded(&self, id: &PluginId) -> Result<()> {
        match self.load(id).await {
            Err(error) if error.code() == Code::AlreadyLoaded => self.ensure_started(id).await,
            done => done,
        }
    }

    async fn ensure_started(&self, id: &PluginId) -> Result<()> {
        match self.inner.plugin(id)?.state() {
            State::Loaded | State::Stopped => self.start(id).await,
            _ => Ok(()),
        }
    }

    /// Registers and loads in one step, and returns the id. When loading fails the plugin is not registered either.
    ///
    /// # Errors
    /// As [`Kernel::register`] and [`Kernel::load`].
    pub async fn load_path(&self, path: impl AsRef<Path>) -> Result<PluginId> {
        let id = self.register(path).await?;
        match self.load(&id).await {
            Ok(()) => Ok(id),
            Err(error) => {
                // The load has already undone itself; what is left is the record.
                let _ = self.unload(&id).await;
                let _ = self.unregister(&id).await;
                Err(error)
            }
        }
    }

    /// Starts a plugin that is loaded or stopped.
    ///
    /// # Errors
    /// `state` errors, and what its `start` hook says; the plugin is then `failed`.
    pub async fn start(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::start(&kernel, &id).await }).await
    }

    /// Stops a running plugin: calls in flight end first (10 s at most, or [`Builder::drain`]), new ones get `not_running`.
    ///
    /// # Errors
    /// `state` errors. What the `stop` hook says is logged and kept as the last error.
    pub async fn stop(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::stop(&kernel, &id).await }).await
    }

    /// Stops if needed, and starts. A failed plugin is loaded anew.
    ///
    /// # Errors
    /// As [`Kernel::stop`], [`Kernel::start`] and [`Kernel::load`].
    pub async fn restart(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::restart(&kernel, &id).await }).await
    }

    /// Stops if needed, cleans up and unloads. The plugin stays registered.
    ///
    /// # Errors
    /// `not_loaded`, `has_dependents {dependents}`. What hooks say is logged and unloading goes on.
    pub async fn unload(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::unload(&kernel, &id).await }).await
    }

    /// Reads the plugin's folder again and replaces the running generation by what is there now. The old one serves
    /// until the new one is started; its calls in flight end on it. A plugin that does not run is loaded.
    ///
    /// # Errors
    /// Whatever is wrong with the new one; the old one then goes on serving.
    pub async fn reload(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::reload(&kernel, &id).await }).await
    }

    /// Stops a plugin and keeps it from being started until it is enabled.
    ///
    /// # Errors
    /// `plugin_not_found`, and those of [`Kernel::stop`].
    pub async fn disable(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::disable(&kernel, &id).await }).await
    }

    /// Undoes [`Kernel::disable`], and starts the plugin if it is loaded.
    ///
    /// # Errors
    /// As [`Kernel::start`].
    pub async fn enable(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::enable(&kernel, &id).await }).await
    }

    /// Changes the configuration of a plugin while it runs: checked against its schema and by itself, then handed to
    /// every instance, one change after the other. Missing hooks mean accepted. A value `{secret: env:NAME}`, `file:PATH` or
    /// the name of a secret of [`Builder::secrets`] stands for that secret.
    ///
    /// # Errors
    /// `config_invalid` with every fault and its path; the old configuration then stays.
    pub async fn update_config(&self, id: &PluginId, config: Map<String, Value>) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::update_config(&kernel, &id, config).await }).await
    }

    /// The configuration in effect, asked of the plugin where it has a `get_config` hook. Stars stand for secrets.
    ///
    /// # Errors
    /// `not_loaded`, `plugin_not_found`.
    pub async fn config(&self, id: &PluginId) -> Result<Value> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::config(&kernel, &id).await }).await
    }

    /// Asks a plugin how it is. Without a `health` hook a plugin that answers is healthy.
    ///
    /// # Errors
    /// `not_running`, `deadline_exceeded` after 5 s, and the hook's own.
    pub async fn health(&self, id: &PluginId) -> Result<Health> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::health(&kernel, &id).await }).await
    }

    /// Whether a plugin lives. Without a `ping` hook it does while its carrier does.
    ///
    /// # Errors
    /// As [`Kernel::health`].
    pub async fn ping(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { probe::ping(&kernel, &id).await }).await
    }

    /// The slot of a plugin: the handle that callers keep.
    ///
    /// # Errors
    /// `plugin_not_found`, naming the nearest ids.
    pub fn slot(&self, id: &PluginId) -> Result<Slot> {
        self.inner.slot_of(id)
    }

    /// A handle for `ID/ACTION`.
    ///
    /// # Errors
    /// `invalid_input` for an address that cannot be one, `plugin_not_found`.
    pub fn action(&self, address: &str) -> Result<Action> {
        let address: Address = address.parse().map_err(|error| Error::new(Code::InvalidInput, format!("{error}")))?;
        self.slot(&address.plugin)?.action(address.action.as_str())
    }

    /// Calls `ID/ACTION` once. Keep [`Kernel::action`]'s handle where many calls are made.
    ///
    /// # Errors
    /// As [`Kernel::action`] and [`Action::call`].
    pub async fn call(&self, address: &str, input: impl Into<Vec<u8>>) -> Result<Vec<u8>> {
        self.action(address)?.call(input).await
    }

    /// Defines an interface. Plugins that provide it are held to it from here on, those that run at once: one that
    /// lacks a required action does not provide it, and a warning names that action.
    ///
    /// # Errors
    /// `invalid_input` for a definition that contradicts itself, `manifest_invalid` for a schema that is none.
    pub async fn define(&self, interface: Interface) -> Result<()> {
        self.inner.services.define(interface)?;
        let kernel = Arc::clone(&self.inner);
        to_its_end(async move { services::admit_all(&kernel).await }).await;
        Ok(())
    }

    /// A handle for an interface, whoever provides it.
    #[must_use]
    pub fn service(&self, interface: &str, range: VersionRange, choice: Choice) -> Service {
        Service::new(Arc::downgrade(&self.inner), interface, range, choice)
    }

    /// Who provides an interface in a version of this range, best first; those that are refused come last.
    #[must_use]
    pub fn providers(&self, interface: &str, range: &VersionRange) -> Vec<Provider> {
        services::providers(&self.inner, interface, range)
    }

    /// The machine, what this host can do on it, and by what it executes which formats.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.inner.platform
    }

    fn of(&self, id: &PluginId) -> (Arc<Inner>, PluginId) {
        (Arc::clone(&self.inner), id.clone())
    }

    /// A snapshot of one plugin.
    ///
    /// # Errors
    /// `plugin_not_found`.
    pub fn status(&self, id: &PluginId) -> Result<Status> {
        self.inner.plugin(id).map(|plugin| status::of(&plugin))
    }

    /// Snapshots of all plugins, by id.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        self.inner.plugins().iter().map(|plugin| status::of(plugin)).collect()
    }

    /// What a plugin has measured since it was registered, by name and labels.
    ///
    /// # Errors
    /// `plugin_not_found`.
    pub fn metrics(&self, id: &PluginId) -> Result<Vec<Series>> {
        self.inner.plugin(id).map(|plugin| self.inner.metrics.of(&plugin.id))
    }

    /// The plugins that handle a file, best first: those that run before those that do not, then by priority, then
    /// rules before file types, then by id.
    #[must_use]
    pub fn routes(&self, file: &Path, mime_type: Option<&str>) -> Vec<Route> {
        routes::of(&self.inner, file, mime_type)
    }

    /// Every route, of plugins and rules, in the order in which they are tried, and by whom each is shadowed.
    #[must_use]
    pub fn route_table(&self) -> Vec<Row> {
        routes::table(&self.inner)
    }

    /// Makes a route, or replaces the one of this name.
    ///
    /// # Errors
    /// `invalid_input` for a pattern that cannot be one, `limit_exceeded` over 10,000 rules.
    pub fn set_route(&self, name: &str, rule: Rule) -> Result<()> {
        self.inner.rules.set(name, rule)
    }

    /// Drops a route that [`Kernel::set_route`] made. `false` when there was none of that name.
    #[must_use]
    pub fn remove_route(&self, name: &str) -> bool {
        self.inner.rules.remove(name)
    }

    /// Calls an action by its name alone, at whoever of those that run gets it by the routes. Keep
    /// [`Kernel::action`]'s handle where many calls are made.
    ///
    /// # Errors
    /// `action_not_found` at once where nobody answers it; otherwise as [`Action::call`].
    pub async fn dispatch(&self, action: &str, input: impl Into<Vec<u8>>, options: CallOptions) -> Result<Vec<u8>> {
        let action = ActionName::new(action).map_err(|error| Error::new(Code::InvalidInput, error.to_string()))?;
        routes::dispatch(&self.inner, &action, input.into(), options).await
    }

    /// The bus: the host's own events, those of plugins, and those of the program around it.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// Publishes to every plugin that has an `event` hook, whether it subscribed or not, and to all subscribers. Plugins
    /// that are still loading get it once they run.
    ///
    /// # Errors
    /// As [`Bus::send`].
    pub fn broadcast(&self, message: Message) -> Result<Receipt> {
        pump::broadcast(&self.inner, message)
    }

    /// Stops and unloads everything, dependents first.
    pub async fn shutdown(&self) {
        let kernel = Arc::clone(&self.inner);
        to_its_end(async move { operate::shutdown(&kernel).await }).await;
    }
}
