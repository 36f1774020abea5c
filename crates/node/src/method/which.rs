//! Which plugin is meant.

use std::path::PathBuf;

use midplane_contract::{PluginId, Result};
use midplane_kernel::Kernel;
use serde::Deserialize;

/// A plugin: by its id, or by the absolute path of its folder, its manifest or its code.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Which {
    Id(PluginId),
    At(PathBuf),
}

impl TryFrom<String> for Which {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // No id begins like a path.
        match text.starts_with('/') {
            true => Ok(Self::At(text.into())),
            false => PluginId::new(&text).map(Self::Id).map_err(|error| error.to_string()),
        }
    }
}

impl Which {
    /// Its id.
    ///
    /// # Errors
    /// `plugin_not_found` for a path that no registered plugin has.
    pub(super) fn id(self, kernel: &Kernel) -> Result<PluginId> {
        match self {
            Self::Id(id) => Ok(id),
            Self::At(path) => kernel.id_of(path),
        }
    }
}
