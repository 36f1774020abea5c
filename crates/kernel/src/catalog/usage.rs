//! How often plugins were loaded and called, over all hosts of a data folder.

use jiff::Timestamp;
use midplane_contract::{PluginId, Result};
use serde::{Deserialize, Serialize};

use super::Catalog;

const USAGE: &str = "usage";

/// Counts and times of one plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// How often it was loaded.
    pub load_count: u64,
    /// When it was loaded last.
    pub last_loaded_at: Option<Timestamp>,
    /// Milliseconds that the last load took, from the manifest to initialized instances.
    pub load_time_ms: f64,
    /// How often it was called.
    pub access_count: u64,
    /// When a call was timed last: of calls on the caller's own thread every 256th is, all others are.
    pub last_access: Option<Timestamp>,
}

impl Usage {
    /// The counts of both, the times of the later one.
    pub(crate) fn and(self, later: Self) -> Self {
        Self {
            load_count: self.load_count + later.load_count,
            last_loaded_at: later.last_loaded_at.or(self.last_loaded_at),
            load_time_ms: if later.load_count > 0 { later.load_time_ms } else { self.load_time_ms },
            access_count: self.access_count + later.access_count,
            last_access: later.last_access.max(self.last_access),
        }
    }
}

impl Catalog {
    /// What is kept of a plugin's use; [`crate::Kernel::record`] has the latest of a registered one as well. What cannot
    /// be read counts as none.
    #[must_use]
    pub fn usage(&self, id: &PluginId) -> Usage {
        let row = self.stores.catalog.get(USAGE, id.as_str()).ok().flatten();
        row.and_then(|row| serde_json::from_slice(&row).ok()).unwrap_or_default()
    }

    /// Adds to it.
    pub(crate) fn used(&self, id: &PluginId, more: Usage) -> Result<()> {
        self.stores.catalog.change(&mut |change| {
            let is: Usage =
                change.get(USAGE, id.as_str())?.and_then(|row| serde_json::from_slice(&row).ok()).unwrap_or_default();
            let row = serde_json::to_vec(&is.and(more)).unwrap_or_default();
            change.put(USAGE, id.as_str(), &row)
        })
    }
}
