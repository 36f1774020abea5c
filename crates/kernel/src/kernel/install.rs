//! The part of the kernel's face that is about installing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use midplane_contract::{Permission, PluginId, Result};

use super::Kernel;
use crate::catalog::Installed;
use crate::lasting::to_its_end;
use crate::operate;

/// What became of an installed plugin when its host began.
#[derive(Debug, Clone)]
pub struct Reinstated {
    /// Its record.
    pub record: Installed,
    /// Why it is not registered, if it is not.
    pub outcome: Result<()>,
}

impl Kernel {
    /// Installs what stands at a path: registers it, loads it with everything it needs, and notes it for good, in one
    /// step; then `plugin.installed` is told. The plugin stays where it is, nothing is copied. One that is disabled is
    /// not loaded.
    ///
    /// When any part fails, or the future is dropped, all of it is undone: the plugin is not registered, what was loaded
    /// or started for it alone is not any longer, and a record of an earlier installation is as it was. Without one a
    /// record that says `failed` is left, with the error under `metadata.error`; [`Kernel::uninstall`] removes it.
    ///
    /// # Errors
    /// As [`Kernel::register`] and [`Kernel::load`]; `storage` when it cannot be noted.
    pub async fn install(&self, path: impl AsRef<Path>) -> Result<PluginId> {
        self.install_granting(path, &[]).await
    }

    /// The same with lasting grants, and denials with `!`, that count before any of its code runs. Those that were not there
    /// go again when any part fails.
    ///
    /// # Errors
    /// As [`Kernel::install`].
    pub async fn install_granting(&self, path: impl AsRef<Path>, grants: &[Permission]) -> Result<PluginId> {
        let (kernel, path, grants) = (Arc::clone(&self.inner), path.as_ref().to_path_buf(), grants.to_vec());
        let waiting = Waiting::default();
        let given_up = Arc::clone(&waiting.gone);
        to_its_end(async move { operate::install(&kernel, &path, &grants, &given_up).await }).await
    }

    /// Takes an installed plugin away: it is unloaded and no longer registered, and its record, its lasting grants and
    /// the mark that keeps it stopped are gone. What it kept stays, and so do its files.
    ///
    /// # Errors
    /// `has_dependents` with those that are loaded or installed and need it; `plugin_not_found` for what is not
    /// installed; `not_running` while it is being installed, or taken away by somebody else; `storage`, and then everything
    /// that was loaded is loaded again.
    pub async fn uninstall(&self, id: &PluginId) -> Result<()> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::uninstall(&kernel, &id, operate::Dependents::Refuse).await }).await.map(drop)
    }

    /// The same after everything that needs it was unloaded; that stays installed. Returns what was unloaded, in that
    /// order.
    ///
    /// # Errors
    /// As [`Kernel::uninstall`], but `has_dependents` only where new ones keep coming.
    pub async fn uninstall_cascade(&self, id: &PluginId) -> Result<Vec<PluginId>> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::uninstall(&kernel, &id, operate::Dependents::Unload).await }).await
    }

    /// Settles installations that a host before this one has left half-way: those that had begun have failed, those that
    /// were to replace another version leave that one. Returns their records. Only for a host that no other installs
    /// beside, over the same stores.
    ///
    /// # Errors
    /// `storage`, also where a record is damaged.
    pub fn settle_installed(&self) -> Result<Vec<Installed>> {
        operate::settle(&self.inner)
    }

    /// Registers every installed plugin that is not registered. Nothing is loaded. A record follows what its path holds.
    ///
    /// # Errors
    /// `storage`, also where a record is damaged. What is wrong with one plugin is told with it, and the others go on.
    pub async fn reinstate(&self) -> Result<Vec<Reinstated>> {
        let kernel = Arc::clone(&self.inner);
        to_its_end(async move { operate::reinstate(&kernel).await }).await
    }
}

/// Says when it goes that nobody waits any longer.
#[derive(Default)]
struct Waiting {
    gone: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}
