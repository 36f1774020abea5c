//! Where configurations that are set at run time are kept, so that they outlive the host.

mod database;
mod files;

use midplane_contract::{Code, Error, PluginId, Result};
use serde_json::{Map, Value};

use super::CONFIG_SIZE;

pub use database::DatabaseStore;
pub use files::FileStore;

/// What somebody else may have changed in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// The configuration of one plugin.
    Of(&'a PluginId),
    /// Any number of them: the store could not listen for a while.
    Any,
}

/// Called with what somebody else has changed. It does not block.
pub type Changed = Box<dyn Fn(News<'_>) + Send + Sync>;

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
    /// `storage`; the old one is then still there. A store that cannot know says so in the error.
    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()>;

    /// Begins to tell of changes that come from elsewhere; it may tell of this host's own as well. It ends with the
    /// store.
    ///
    /// # Errors
    /// `not_supported` where the store cannot tell.
    fn watch(&self, changed: Changed) -> Result<()>;
}

/// A configuration as stores keep it.
///
/// # Errors
/// `limit_exceeded` for one with more than [`CONFIG_SIZE`] bytes.
pub fn to_json(config: &Map<String, Value>) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(config).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    if json.len() <= CONFIG_SIZE {
        return Ok(json);
    }
    Err(Error::new(Code::LimitExceeded, format!("the configuration has more than {CONFIG_SIZE} bytes"))
        .remedy("put large data into files, and their paths into the configuration"))
}

/// What a store has kept; `place` says where, for errors.
///
/// # Errors
/// `storage` for what is no configuration. Nothing of it is quoted.
pub fn from_json(json: &[u8], place: &str) -> Result<Map<String, Value>> {
    if json.len() > CONFIG_SIZE {
        return Err(no_configuration(place, &format!("it has more than {CONFIG_SIZE} bytes")));
    }
    serde_json::from_slice(json).map_err(|error| {
        no_configuration(place, &format!("no JSON object, at line {}, column {}", error.line(), error.column()))
    })
}

/// What stands in a place of a store is no configuration.
#[must_use]
pub fn no_configuration(place: &str, why: &str) -> Error {
    Error::new(Code::Storage, format!("{place} is no configuration: {why}"))
        .remedy("correct it, or remove it to go back to what the settings say")
}
