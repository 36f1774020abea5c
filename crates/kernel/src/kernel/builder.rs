//! Putting a kernel together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use midplane_contract::{Limits, SecretRef};
use serde_json::json;

use super::Kernel;
use super::inner::Inner;
use crate::assemble::Runtimes;
use crate::availability::Wishes;
use crate::bounds::Bounds;
use crate::bus::Bus;
use crate::catalog::Catalog;
use crate::config::ConfigStore;
use crate::fetch::Fetch;
use crate::gate::Gate;
use crate::kept;
use crate::metrics::Metrics;
use crate::platform::{Adapter, Machine, Platform, Rules};
use crate::recovery::Strategy;
use crate::resolve::{PackageSource, Selection};
use crate::runtime::Runtime;
use crate::secret::Secrets;
use crate::services::Services;
use crate::store::Stores;

/// Puts a kernel together.
pub struct Builder {
    pub(super) runtimes: Runtimes,
    pub(super) cache: Option<PathBuf>,
    pub(super) strategy: Option<Arc<dyn Strategy>>,
    pub(super) loads: usize,
    pub(super) load_time: Option<Duration>,
    pub(super) rules: Rules,
    pub(super) selection: Selection,
    pub(super) adapters: Vec<Adapter>,
    pub(super) capabilities: Vec<String>,
    pub(super) secrets: BTreeMap<String, SecretRef>,
    pub(super) limits: Limits,
    pub(super) bounds: Bounds,
    pub(super) drain: Duration,
    pub(super) store: Option<Arc<dyn ConfigStore>>,
    pub(super) sources: Vec<Arc<dyn PackageSource>>,
    pub(super) stores: Stores,
    pub(super) fetch: Option<Arc<dyn Fetch>>,
}

impl Builder {
    /// Adds a runtime; one that serves the same kind and placement takes the place of an earlier one.
    #[must_use]
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        let (kind, placement) = runtime.serves();
        self.runtimes.insert((kind.as_str(), placement.as_str()), runtime);
        self
    }

    /// The folder for compiled code and copies; only this user may write it. The default is `midplane` in the user's
    /// cache folder.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// What happens when a plugin fails; the default leaves it failed.
    #[must_use]
    pub fn on_failure(mut self, strategy: Arc<dyn Strategy>) -> Self {
        self.strategy = Some(strategy);
        self
    }

    /// What fetches over HTTP for plugins; without one `http.fetch` is `not_supported`.
    #[must_use]
    pub fn fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// How many plugins may be loading at once; the default is 5.
    #[must_use]
    pub fn concurrent_loads(mut self, most: usize) -> Self {
        self.loads = most.max(1);
        self
    }

    /// How long a load may take to open the code and in its hooks, `init` and `start`, together; without it the hooks' own
    /// limits are all. Code that hangs while it is opened cannot be ended in this process: its load is answered and the
    /// plugin has failed, a thread stays with it, and what comes of it after all is thrown away.
    #[must_use]
    pub fn load_time(mut self, most: Option<Duration>) -> Self {
        self.load_time = most;
        self
    }

    /// What the operator decides about platforms.
    #[must_use]
    pub fn compatibility(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// What the operator decides about versions: which of them ranges take.
    #[must_use]
    pub fn versions(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Adds an adapter; one of the same name takes the place of an earlier one.
    #[must_use]
    pub fn adapter(mut self, adapter: Adapter) -> Self {
        self.adapters.push(adapter);
        self
    }

    /// Adds a capability of this host, in an embedder's own word, for plugins that name it under `compatibility`.
    #[must_use]
    pub fn capability(mut self, name: impl Into<String>) -> Self {
        self.capabilities.push(name.into());
        self
    }

    /// Where secrets are, by the names that plugins ask for with `secret.get` and that configurations refer to.
    #[must_use]
    pub fn secrets(mut self, places: BTreeMap<String, SecretRef>) -> Self {
        self.secrets = places;
        self
    }

    /// Adds a source of versions that are not on this machine: [`Kernel::resolve`] asks it. Of one version in several sources
    /// that of the first counts.
    #[must_use]
    pub fn package_source(mut self, source: Arc<dyn PackageSource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Where configurations that are changed with [`Kernel::update_config`] are kept, and found again at the next load:
    /// what is kept there stands in place of the policy's. A store that can tell of changes from elsewhere has them
    /// put into effect. Nothing is kept without one.
    #[must_use]
    pub fn config_store(mut self, store: Arc<dyn ConfigStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// What a plugin may use at most where neither its manifest nor its policy says anything.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same for limits that manifests know nothing of.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// How long calls in flight get when a plugin is stopped or replaced; the default is 10 s.
    #[must_use]
    pub fn drain(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// Where grants, plugins' state and the catalog are kept; the default is memory, gone with the kernel.
    /// `midplane::data(folder)` opens those of a data folder.
    #[must_use]
    pub fn stores(mut self, stores: Stores) -> Self {
        self.stores = stores;
        self
    }

    /// The kernel, empty and ready.
    #[must_use]
    pub fn build(mut self) -> Kernel {
        let platform = Arc::new(self.platform());
        let inner = Inner {
            platform,
            selection: self.selection,
            runtimes: Arc::new(self.runtimes),
            plugins: RwLock::default(),
            policies: Mutex::default(),
            gate: Gate::default(),
            granting: Mutex::default(),
            services: Services::default(),
            rules: crate::routes::Rules::default(),
            wishes: Wishes::default(),
            bus: Bus::default(),
            fetch: self.fetch,
            loads: async_lock::Semaphore::new(self.loads),
            ending: crate::operate::Ending::default(),
            load_time: self.load_time,
            strategy: self.strategy,
            secrets: Arc::new(Secrets::new(self.secrets)),
            limits: RwLock::new(self.limits),
            bounds: RwLock::new(self.bounds),
            drain: self.drain,
            store: self.store,
            sources: self.sources,
            store_away: AtomicBool::new(false),
            generations: AtomicU64::new(0),
            cache: self.cache.unwrap_or_else(default_cache),
            catalog: Catalog::new(self.stores.clone()).with_selection(self.selection),
            stores: self.stores,
            metrics: Metrics::default(),
        };
        inner.announce("host.started", json!({}));
        let inner = Arc::new(inner);
        kept::follow(&inner);
        Kernel { inner }
    }

    /// This machine with what the runtimes and the embedder add.
    fn platform(&mut self) -> Platform {
        let kinds = self.runtimes.values().map(|runtime| runtime.serves().0);
        let mut machine = Machine::current().with_runtimes(kinds);
        machine.capabilities.append(&mut self.capabilities);
        let mut platform = Platform::of(machine, std::mem::take(&mut self.rules));
        for adapter in self.adapters.drain(..) {
            platform.adapters.retain(|known| known.name != adapter.name);
            platform.adapters.push(adapter);
        }
        platform
    }
}

/// `$XDG_CACHE_HOME/midplane`, `~/.cache/midplane`, or a folder of this user's below the temporary one.
fn default_cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".cache")));
    let own = || std::env::temp_dir().join(format!("cache-{}", rustix::process::geteuid().as_raw()));
    base.unwrap_or_else(own).join("midplane")
}
