//! Numbers that an operator sets, for all plugins or for one, and that manifests know nothing of.

use midplane_contract::{InstanceMode, Instances, defaults};

use crate::bus::Rate;

/// See the module's text. What is absent is left to whoever stands below: the plugin's, the host's, the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Instances of a pool at most, whatever its manifest says. Counts from the next load.
    pub instances: Option<u32>,
    /// Events that wait for the plugin at most; the default is 1,024. Counts at once.
    pub subscriber_queue: Option<u32>,
    /// Events that the plugin may publish in a second on average, and at once after a pause; without, as many as it likes.
    /// Counts at once.
    pub publish_rate: Option<u32>,
    /// How deep in a chain of calls the plugin may call others; the default is 32. Counts from the next load.
    pub call_depth: Option<u32>,
    /// Bytes of a log line; the default, and the most, is 16 KiB. Counts at once.
    pub log_line: Option<u64>,
}

impl Bounds {
    /// These, and where they say nothing those below.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            instances: self.instances.or(below.instances),
            subscriber_queue: self.subscriber_queue.or(below.subscriber_queue),
            publish_rate: self.publish_rate.or(below.publish_rate),
            call_depth: self.call_depth.or(below.call_depth),
            log_line: self.log_line.or(below.log_line),
        }
    }

    /// The instances of a manifest within them. An actor is one in any case.
    pub(crate) fn instances(&self, wanted: Instances) -> Instances {
        let most = match wanted.mode {
            InstanceMode::Pool => self.instances.unwrap_or(u32::MAX).max(1),
            InstanceMode::Actor => u32::MAX,
        };
        Instances { min: wanted.min.min(most), max: wanted.max.min(most), ..wanted }
    }

    pub(crate) fn queue(&self) -> usize {
        self.subscriber_queue.map_or(defaults::QUEUE_PER_SUBSCRIBER, |events| events.max(1) as usize)
    }

    pub(crate) fn rate(&self) -> Option<Rate> {
        self.publish_rate.map(Rate::per_second)
    }

    pub(crate) fn depth(&self) -> usize {
        self.call_depth.map_or(defaults::CALL_DEPTH, |depth| depth as usize)
    }

    /// What runtimes read of a line in any case is no more than the default.
    pub(crate) fn line(&self) -> usize {
        self.log_line.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX).min(defaults::LOG_LINE)
    }
}
