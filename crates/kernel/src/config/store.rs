//! Where configurations that are set at run time are kept, so that they outlive the host.

mod files;

use midplane_contract::{PluginId, Result};
use serde_json::{Map, Value};

pub use files::FileStore;

/// Called with each plugin whose configuration somebody else has changed.
pub type Changed = Box<dyn Fn(&PluginId) + Send + Sync>;

/// Keeps configurations that operators set at run time. Secrets are in them by reference only.
///
/// Its functions may block: the kernel calls them on threads that may. Several hosts may share one store.
pub trait ConfigStore: Send + Sync {
    /// What was kept for a plugin; `None` where nothing was.
    ///
    /// # Errors
    /// `storage`, saying what cannot be reached or read, and what to do.
    fn load(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>>;

    /// Keeps a configuration: afterwards either the old one or this one is there, whatever happens meanwhile.
    ///
    /// # Errors
    /// `storage`; the old one is then still there.
    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()>;

    /// Begins to tell of changes that come from elsewhere. It ends with the store.
    ///
    /// # Errors
    /// `not_supported` where the store cannot tell.
    fn watch(&self, changed: Changed) -> Result<()>;
}
