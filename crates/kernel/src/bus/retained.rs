//! The last value of topics whose publishers asked for it to be kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use midplane_contract::defaults;

use super::event::Event;
use super::filter::Filter;
use super::topic::Pattern;

/// Topics with a retained value at most; the one that was set longest ago gives way.
pub const RETAINED: usize = 1024;

/// Some of them.
pub(crate) type Values = Vec<Arc<Event>>;

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
    pub(crate) fn matching(&self, pattern: &Pattern) -> Values {
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

/// What a filter says of retained values.
///
/// CONCURRENCY: a filter is foreign code and may be slow, so it is asked while the registry is not locked. Whoever
/// subscribes looks again after that, until none has come meanwhile that it was not asked about.
#[derive(Default)]
pub(crate) struct Judged(HashMap<*const Event, (Arc<Event>, bool)>);

impl Judged {
    /// Those that pass, in their order.
    ///
    /// # Errors
    /// Those that are not known yet.
    pub(crate) fn passing(&self, values: Values) -> Result<Values, Values> {
        let known = |value: &Arc<Event>| self.0.get(&Arc::as_ptr(value)).map(|(_, passes)| *passes);
        if values.iter().all(|value| known(value).is_some()) {
            return Ok(values.into_iter().filter(|value| known(value) == Some(true)).collect());
        }
        Err(values.into_iter().filter(|value| known(value).is_none()).collect())
    }

    /// Asks about more of them; without a filter all pass.
    pub(crate) fn ask(&mut self, filter: Option<&Filter>, values: Values) {
        let passes = |value: &Event| filter.is_none_or(|filter| filter.passes(value));
        self.0.extend(values.into_iter().map(|value| (Arc::as_ptr(&value), (Arc::clone(&value), passes(&value)))));
    }
}
