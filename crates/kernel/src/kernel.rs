//! The kernel's face: what an embedder, the command line and the daemon use.

mod builder;
mod catalog;
mod dependencies;
mod grants;
mod inner;
mod install;
mod operating;
mod registry;
mod routing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Address, Code, Error, Limits, Manifest, PluginId, Result, SecretRef, defaults};

use crate::action::Action;
use crate::assemble::Runtimes;
use crate::bounds::Bounds;
use crate::bus::{Bus, Message, Receipt};
use crate::discover::{self, Found};
use crate::lasting::to_its_end;
use crate::metrics::Series;
use crate::platform::{Platform, Rules};
use crate::plugin::{Source, Stay};
use crate::policy::Policy;
use crate::resolve::Selection;
use crate::runtime::{CodeFacts, Runtime};
use crate::slot::Slot;
use crate::status::{self, Status};
use crate::store::Stores;
use crate::{describe, guest, operate, pump};

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
            secrets: BTreeMap::new(),
            limits: Limits::default(),
            bounds: Bounds::default(),
            drain: defaults::SHUTDOWN_DRAIN,
            store: None,
            sources: Vec::new(),
            stores: Stores::default(),
            fetch: None,
        }
    }

    /// Sets what the operator decides about a plugin, registered or not. Trust, placement, limits and configuration
    /// count from the next load; grants count at once.
    pub fn set_policy(&self, id: &PluginId, policy: Policy) {
        self.inner.set_policy(id, policy);
    }

    /// Sets what a plugin may use at most where neither its manifest nor its policy says anything, as [`Builder::limits`] and
    /// [`Builder::bounds`] do. It counts as it does in a policy: from each plugin's next load, and of the bounds some at once.
    pub fn set_limits(&self, limits: Limits, bounds: Bounds) {
        self.inner.set_limits(limits, bounds);
    }

    /// Sets where secrets are, as [`Builder::secrets`] does. It counts at once for plugins that ask for them by name, and for
    /// configurations from their next load, change or [`Kernel::renew_secrets`].
    pub fn set_secrets(&self, places: BTreeMap<String, SecretRef>) {
        self.inner.secrets.set(places);
    }

    /// What the operator has decided about a plugin so far, and what a store has kept of it.
    #[must_use]
    pub fn policy(&self, id: &PluginId) -> Policy {
        self.inner.policy(id)
    }

    /// The same for every plugin about which something was decided, registered or not.
    #[must_use]
    pub fn policies(&self) -> BTreeMap<PluginId, Policy> {
        self.inner.policies()
    }

    /// Registers a plugin folder, manifest, or bare file; no code stays loaded. A bare file is asked who it is.
    ///
    /// # Errors
    /// What is wrong with the manifest, all at once; `already_registered {version}` when the id is taken.
    pub async fn register(&self, path: impl AsRef<Path>) -> Result<PluginId> {
        let path = path.as_ref().to_path_buf();
        let found = self.inner.find(&path).await?;
        self.inner.register(Source::Path(path), found, Stay::Here)
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
    /// `already_loaded` while it is, `plugin_not_found`, `has_dependents`; `not_running` while it is being installed or
    /// uninstalled.
    pub async fn unregister(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::unregister(&kernel, &id).await }).await
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
}
