//! The last value of topics whose publishers asked for it to be kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use midplane_contract::defaults;

use super::event::Event;
use super::topic::Pattern;

/// Topics with a retained value at most; the one that was set longest ago gives way.
pub const RETAINED: usize = 1024;

/// The retained values: at most 1,024, and 64 MiB together.
#[derive(Default)]
pub(crate) struct Retained {
    values: HashMap<Arc<str>, Arc<Event>>,
    /// The topics, longest ago first.
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Retained {
    /// Keeps an event as the last value of its topic; one without data forgets it.
    pub(crate) fn set(&mut self, event: &Arc<Event>) {
        let topic = Arc::clone(&event.heading.topic);
        self.forget(&topic);
        if event.data.is_empty() {
            return;
        }
        self.bytes += event.size;
        self.order.push_back(Arc::clone(&topic));
        self.values.insert(topic, Arc::clone(event));
        while self.values.len() > RETAINED || (self.bytes > defaults::PAYLOAD_CAP && self.values.len() > 1) {
            let Some(oldest) = self.order.front().cloned() else { return };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, topic: &Arc<str>) {
        if let Some(gone) = self.values.remove(topic) {
            self.bytes -= gone.size;
            self.order.retain(|known| known != topic);
        }
    }

    /// The last values of topics that match, oldest first.
    pub(crate) fn matching(&self, pattern: &Pattern) -> Vec<Arc<Event>> {
        self.order
            .iter()
            .filter(|topic| pattern.matches(topic))
            .filter_map(|topic| self.values.get(topic))
            .cloned()
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}
