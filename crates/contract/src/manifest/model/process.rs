//! How a process is started and reached.

use serde::{Deserialize, Serialize};

/// How a process is started and reached: the keys of requirement 003, and the protocol. They stand in `entry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessSpec {
    /// The program, where it is not `main`: a path inside the plugin's folder, an absolute one, or a name that is
    /// looked for in `PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// What it speaks; `None` means [`Protocol::Text`] for scripts and [`Protocol::Wire`] for everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Where the plugin listens for its host; `None` means that the host hands it its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The address on that network; `None` means one that the host chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Longest time for one attempt to connect, in milliseconds; `None` means 10 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Milliseconds between two pings of the process; `None` means that it is pinged on demand alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_interval_ms: Option<u64>,
    /// How often connecting is tried, once a second; 0 means once as well, `None` ten times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

impl ProcessSpec {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a process speaks, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Frames of `contract/wire.md` on the descriptor in `MIDPLANE_FD`, or on its network.
    Wire,
    /// The same frames on stdin and stdout.
    Stdio,
    /// Lines of `contract/text.md` on stdin and stdout, or on its network.
    Text,
}

/// What a process listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// TCP on this machine's own addresses.
    Tcp,
    /// A Unix stream socket.
    Unix,
}

impl Network {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Unix => "unix",
        }
    }
}
