//! Putting a kernel together.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use serde_json::json;

use super::Kernel;
use super::inner::Inner;
use crate::assemble::Runtimes;
use crate::events::Events;
use crate::fetch::Fetch;
use crate::gate::Gate;
use crate::recovery::Strategy;
use crate::routes::Rules;
use crate::runtime::Runtime;
use crate::services::Services;

/// Puts a kernel together.
pub struct Builder {
    pub(super) runtimes: Runtimes,
    pub(super) cache: Option<PathBuf>,
    pub(super) strategy: Option<Arc<dyn Strategy>>,
    pub(super) loads: usize,
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

    /// The kernel, empty and ready.
    #[must_use]
    pub fn build(self) -> Kernel {
        let inner = Inner {
            runtimes: Arc::new(self.runtimes),
            plugins: RwLock::default(),
            policies: Mutex::default(),
            gate: Gate::default(),
            events: Events::default(),
            services: Services::default(),
            rules: Rules::default(),
            fetch: self.fetch,
            loads: async_lock::Semaphore::new(self.loads),
            strategy: self.strategy,
            generations: AtomicU64::new(0),
            cache: self.cache.unwrap_or_else(default_cache),
        };
        inner.announce("host.started", json!({}));
        Kernel { inner: Arc::new(inner) }
    }
}

/// `$XDG_CACHE_HOME/midplane`, `~/.cache/midplane`, or a folder of this user's below the temporary one.
fn default_cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".cache")));
    let own = || std::env::temp_dir().join(format!("cache-{}", rustix::process::geteuid().as_raw()));
    base.unwrap_or_else(own).join("midplane")
}
