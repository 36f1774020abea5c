//! Who takes over a plugin that was let in: the kernel, or whoever an embedder puts before it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Health, Manifest, PluginId, Result, State};
use midplane_kernel::{Kernel, Runtime, block_on};
use serde_json::Value;

/// How long the kernel may take to notice that the connection before has ended.
const NOTICE: Duration = Duration::from_secs(5);
/// Pause between two looks whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// Takes over plugins that were let in. All of it may block.
pub trait Reception: Send + Sync + 'static {
    /// Takes note of a plugin and of the runtime that reaches it, good for one load; before it is told that it is
    /// registered.
    ///
    /// # Errors
    /// Why it is refused; it is told that.
    fn register(&self, manifest: Manifest, runtime: Arc<dyn Runtime>) -> Result<()>;

    /// Loads and starts it, after it was told; with `replaces` in the place of the one that runs.
    ///
    /// # Errors
    /// Why it cannot; the connection is then closed.
    fn load(&self, plugin: &PluginId, replaces: bool) -> Result<()>;

    /// Where it stands; `None` when nobody knows it any longer.
    fn state(&self, plugin: &PluginId) -> Option<State>;

    /// How it is.
    ///
    /// # Errors
    /// Why that cannot be said.
    fn health(&self, plugin: &PluginId) -> Result<Health>;

    /// The configuration in effect.
    ///
    /// # Errors
    /// Why that cannot be said.
    fn config(&self, plugin: &PluginId) -> Result<Value>;
}

/// A connected plugin becomes one like every other.
impl Reception for Kernel {
    fn register(&self, manifest: Manifest, runtime: Arc<dyn Runtime>) -> Result<()> {
        self.adopt(manifest, runtime).map(drop)
    }

    fn load(&self, plugin: &PluginId, replaces: bool) -> Result<()> {
        let late = Instant::now() + NOTICE;
        loop {
            let state = self.status(plugin)?.state;
            if replaces && matches!(state, State::Running | State::Updating) {
                return block_on(self.reload(plugin));
            }
            // Until the kernel has noticed that the connection before has ended, the plugin seems to be there.
            let done = match state {
                State::Registered | State::Failed | State::Stopped | State::Quarantined => {
                    block_on(Self::load(self, plugin))
                }
                _ => Err(Error::new(Code::AlreadyLoaded, format!("`{plugin}` is {state} already"))
                    .remedy("unload it, then connect again")),
            };
            match done {
                Err(error) if error.code() == Code::AlreadyLoaded && Instant::now() < late => thread::sleep(LOOK),
                done => return done,
            }
        }
    }

    fn state(&self, plugin: &PluginId) -> Option<State> {
        self.status(plugin).ok().map(|status| status.state)
    }

    fn health(&self, plugin: &PluginId) -> Result<Health> {
        block_on(Self::health(self, plugin))
    }

    fn config(&self, plugin: &PluginId) -> Result<Value> {
        block_on(Self::config(self, plugin))
    }
}
