//! Limits, for all plugins or for one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::settings::units;

macro_rules! limits {
    ($($(#[$meta:meta])* $field:ident: $kind:ty,)+) => {
        /// What plugins may use at most. What is absent is left to manifests and defaults.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct HostLimits { $($(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$kind>),+ }
    };
}

limits! {
    /// Memory of one instance, in bytes.
    #[serde(deserialize_with = "units::option_size::deserialize")]
    memory: u64,
    /// Processor share, 1.0 = one core.
    cpu: f64,
    /// Disk transfer, bytes per second.
    #[serde(deserialize_with = "units::option_size::deserialize")]
    disk_io: u64,
    /// Network transfer, bytes per second.
    #[serde(deserialize_with = "units::option_size::deserialize")]
    network_io: u64,
    /// Longest call.
    #[serde(alias = "call_deadline_ms", with = "units::option_duration")]
    call_deadline: Duration,
    /// Longest hook.
    #[serde(alias = "hook_deadline_ms", with = "units::option_duration")]
    hook_deadline: Duration,
    /// Threads or tasks.
    threads: u32,
    /// Open files.
    file_descriptors: u32,
    /// Open connections.
    connections: u32,
    /// Calls waiting at once.
    queue: u32,
    /// Largest payload of a call or reply, in bytes.
    #[serde(deserialize_with = "units::option_size::deserialize")]
    payload: u64,
    /// Elements of a WebAssembly table.
    table_elements: u32,
    /// Instances of a pool at most.
    instances: u32,
    /// Events waiting at once.
    subscriber_queue: u32,
    /// Events published in a second.
    publish_rate: u32,
    /// Depth of nested calls.
    call_depth: u32,
    /// Longest log line, in bytes.
    #[serde(deserialize_with = "units::option_size::deserialize")]
    log_line: u64,
}

impl HostLimits {
    /// Those of them that manifests know as well.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Limits {
            memory: self.memory,
            cpu: self.cpu,
            disk_io: self.disk_io,
            network_io: self.network_io,
            call_deadline_ms: self.call_deadline.map(millis),
            hook_deadline_ms: self.hook_deadline.map(millis),
            threads: self.threads,
            file_descriptors: self.file_descriptors,
            connections: self.connections,
            queue: self.queue,
            payload: self.payload,
            table_elements: self.table_elements,
        }
    }
}
