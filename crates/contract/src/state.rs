//! The states of a plugin. What may follow what is the kernel's transition table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a plugin stands in its life. `failed` and `quarantined` carry their reason beside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Found in a folder; its manifest may be invalid.
    Discovered,
    /// Known to the host under its id; no code is loaded. The documents' "Unloaded".
    Registered,
    /// Its dependencies are settled.
    Resolved,
    /// Its code is being loaded and initialized. The documents' "Initializing".
    Loading,
    /// Initialized, not started.
    Loaded,
    /// Its `start` hook runs.
    Starting,
    /// Answers calls. The documents' "Active".
    Running,
    /// Answers calls while its next version is prepared.
    Updating,
    /// Its `stop` hook runs.
    Stopping,
    /// Loaded, started once, not answering calls.
    Stopped,
    /// Its code is being unloaded.
    Unloading,
    /// Something went wrong; the cause is kept. The documents' "Error".
    Failed,
    /// Failed too often; only an operator brings it back.
    Quarantined,
}

impl State {
    /// Every state, in the order of a plugin's life.
    pub const ALL: [Self; 13] = [
        Self::Discovered,
        Self::Registered,
        Self::Resolved,
        Self::Loading,
        Self::Loaded,
        Self::Starting,
        Self::Running,
        Self::Updating,
        Self::Stopping,
        Self::Stopped,
        Self::Unloading,
        Self::Failed,
        Self::Quarantined,
    ];

    /// The state's name in the contract, as JSON shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovered => "discovered",
            Self::Registered => "registered",
            Self::Resolved => "resolved",
            Self::Loading => "loading",
            Self::Loaded => "loaded",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Updating => "updating",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Unloading => "unloading",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }

    /// The word that the requirement documents use for this state, shown beside it.
    #[must_use]
    pub fn known_as(self) -> &'static str {
        match self {
            Self::Discovered | Self::Registered | Self::Resolved => "Unloaded",
            Self::Loading => "Initializing",
            Self::Loaded => "Loaded",
            Self::Starting => "Starting",
            Self::Running | Self::Updating => "Running/Active",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Unloading => "Unloading",
            Self::Failed | Self::Quarantined => "Error",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
