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

/// One of the limits by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `memory`
    Memory,
    /// `cpu`
    Cpu,
    /// `disk_io`
    DiskIo,
    /// `network_io`
    NetworkIo,
    /// `call_deadline_ms`
    CallDeadline,
    /// `hook_deadline_ms`
    HookDeadline,
    /// `threads`
    Threads,
    /// `file_descriptors`
    FileDescriptors,
    /// `connections`
    Connections,
    /// `queue`
    Queue,
    /// `payload`
    Payload,
    /// `table_elements`
    TableElements,
}

impl Limit {
    /// The limits that nobody but who runs the code can hold: all but those of time, queues and payloads, which are the
    /// kernel's.
    pub const RESOURCES: [Self; 8] = [
        Self::Memory,
        Self::Cpu,
        Self::DiskIo,
        Self::NetworkIo,
        Self::Threads,
        Self::FileDescriptors,
        Self::Connections,
        Self::TableElements,
    ];
}

impl Limits {
    /// The names of those limits among `limits` that are set, in the order given.
    #[must_use]
    pub fn set_among(&self, limits: &[Limit]) -> Vec<&'static str> {
        let places = limits.iter().map(|limit| self.place(*limit));
        places.filter_map(|(name, is_set)| is_set.then_some(name)).collect()
    }

    fn place(&self, limit: Limit) -> (&'static str, bool) {
        match limit {
            Limit::Memory => ("memory", self.memory.is_some()),
            Limit::Cpu => ("cpu", self.cpu.is_some()),
            Limit::DiskIo => ("disk_io", self.disk_io.is_some()),
            Limit::NetworkIo => ("network_io", self.network_io.is_some()),
            Limit::CallDeadline => ("call_deadline_ms", self.call_deadline_ms.is_some()),
            Limit::HookDeadline => ("hook_deadline_ms", self.hook_deadline_ms.is_some()),
            Limit::Threads => ("threads", self.threads.is_some()),
            Limit::FileDescriptors => ("file_descriptors", self.file_descriptors.is_some()),
            Limit::Connections => ("connections", self.connections.is_some()),
            Limit::Queue => ("queue", self.queue.is_some()),
            Limit::Payload => ("payload", self.payload.is_some()),
            Limit::TableElements => ("table_elements", self.table_elements.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_limits_asked_for_those_are_named_that_are_set() {
        let limits = Limits { memory: Some(1), threads: Some(2), payload: Some(3), ..Limits::default() };
        assert_eq!(limits.set_among(&[Limit::Threads, Limit::Cpu, Limit::Memory]), ["threads", "memory"]);
        assert!(Limits::default().set_among(&[Limit::Memory, Limit::Payload]).is_empty());
    }

    #[test]
    fn a_limit_is_named_as_its_field() {
        let text = r#"{"memory":1,"cpu":0.5,"disk_io":1,"network_io":1,"call_deadline_ms":1,"hook_deadline_ms":1,
            "threads":1,"file_descriptors":1,"connections":1,"queue":1,"payload":1,"table_elements":1}"#;
        let limits: Limits = serde_json::from_str(text).unwrap();
        let whole = serde_json::to_value(&limits).unwrap();
        let all = [
            Limit::Memory,
            Limit::Cpu,
            Limit::DiskIo,
            Limit::NetworkIo,
            Limit::CallDeadline,
            Limit::HookDeadline,
            Limit::Threads,
            Limit::FileDescriptors,
            Limit::Connections,
            Limit::Queue,
            Limit::Payload,
            Limit::TableElements,
        ];
        let mut names = limits.set_among(&all);
        names.sort_unstable();
        let mut fields: Vec<&str> = whole.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(names, fields);
    }
}
