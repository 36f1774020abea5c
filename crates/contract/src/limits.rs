//! What a plugin may use at most.

use serde::{Deserialize, Serialize};

/// Limits of one plugin. An absent field means the host's default. A limit that the chosen placement cannot hold
/// is refused with `limit_not_enforceable`, never ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory of one instance, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Processor share, 1.0 = one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Disk transfer, bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_io: Option<u64>,
    /// Network transfer, bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_io: Option<u64>,
    /// Longest call, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_deadline_ms: Option<u64>,
    /// Longest hook, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_deadline_ms: Option<u64>,
    /// Threads or tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Open files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_descriptors: Option<u32>,
    /// Open connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Calls waiting at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<u32>,
    /// Largest payload of a call or reply, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<u64>,
    /// Elements of a WebAssembly table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u32>,
}
