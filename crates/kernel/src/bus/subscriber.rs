//! Whoever receives events: a callback on the publisher's thread, or a mailbox.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use midplane_contract::{Result, defaults};

use super::event::Event;
use super::filter::Filter;
use super::mailbox::Mailbox;
use super::overflow::{Offer, Overflow};

/// How a subscriber wants its events.
#[derive(Debug, Default)]
pub struct Options {
    pub(crate) name: Option<String>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) filter: Option<Arc<Filter>>,
    pub(crate) queue: Option<usize>,
    pub(crate) overflow: Overflow,
}

impl Options {
    /// The contract's: 1,024 events wait at most, the oldest gives way.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the subscriber is called in statistics.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Of all subscribers with the same group name one gets each event: of those that have room whoever has had none of a
    /// group for longest, whatever the topic.
    #[must_use]
    pub fn group(mut self, group: &str) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Only these events.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// How many events wait at most, at least 1. They hold 64 MiB at most together, whatever their number.
    #[must_use]
    pub fn queue(mut self, most: usize) -> Self {
        self.queue = Some(most);
        self
    }

    /// What happens when more come.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    pub(crate) fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.queue.unwrap_or(defaults::QUEUE_PER_SUBSCRIBER), self.overflow)
    }
}

pub(crate) type Callback = dyn Fn(&Event) + Send + Sync;
pub(crate) type Door = dyn Fn(&Event) -> Result<()> + Send + Sync;

/// Whoever receives events.
pub(crate) struct Subscriber {
    pub(crate) name: Box<str>,
    pub(crate) sink: Sink,
    /// Asked before a request comes in: whoever waits for the answer may be the one who would have to give it.
    pub(crate) door: Option<Box<Door>>,
    pub(crate) filtered: AtomicU64,
    /// When it got an event of a group last, by the groups' clock.
    pub(crate) served: AtomicU64,
}

/// Where events go.
pub(crate) enum Sink {
    Callback(Listener),
    Mailbox(Mailbox),
}

/// A callback with its counts.
pub(crate) struct Listener {
    callback: Box<Callback>,
    gone: AtomicBool,
    /// Deliveries that were counted one by one; most are counted by their route. May go below zero, and wraps then.
    pub(crate) delivered: AtomicU64,
    pub(crate) panics: AtomicU64,
}

impl Subscriber {
    pub(crate) fn calling(name: &str, callback: Box<Callback>) -> Self {
        let listener = Listener {
            callback,
            gone: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            panics: AtomicU64::new(0),
        };
        Self::with(name, Sink::Callback(listener), None)
    }

    pub(crate) fn queueing(name: &str, mailbox: Mailbox, door: Option<Box<Door>>) -> Self {
        Self::with(name, Sink::Mailbox(mailbox), door)
    }

    fn with(name: &str, sink: Sink, door: Option<Box<Door>>) -> Self {
        Self { name: name.into(), sink, door, filtered: AtomicU64::new(0), served: AtomicU64::new(0) }
    }

    /// Nothing comes in from here on.
    pub(crate) fn end(&self) {
        match &self.sink {
            Sink::Callback(listener) => listener.gone.store(true, Ordering::Release),
            Sink::Mailbox(mailbox) => mailbox.end(),
        }
    }

    pub(crate) fn is_ended(&self) -> bool {
        match &self.sink {
            Sink::Callback(listener) => listener.gone.load(Ordering::Acquire),
            Sink::Mailbox(mailbox) => mailbox.is_ended(),
        }
    }

    /// Hands over an event by whatever way this subscriber has, counting each.
    pub(crate) fn hand(&self, event: &Arc<Event>, patient: bool) -> Offer {
        match &self.sink {
            Sink::Callback(listener) => {
                if !listener.call(event) {
                    return Offer::Closed;
                }
                listener.delivered.fetch_add(1, Ordering::Relaxed);
                Offer::Taken
            }
            Sink::Mailbox(mailbox) => self.admit(event, |event| mailbox.offer(event, patient)),
        }
    }

    /// Offers an event to a mailbox, if its door lets it in.
    #[inline]
    pub(crate) fn admit(&self, event: &Arc<Event>, offer: impl FnOnce(&Arc<Event>) -> Offer) -> Offer {
        if event.is_request()
            && let Some(door) = &self.door
            && let Err(why) = door(event)
        {
            event.refuse(why);
            return Offer::Closed;
        }
        offer(event)
    }

    /// Whether its publishers wait for room.
    pub(crate) fn may_be_waited_for(&self) -> bool {
        matches!(&self.sink, Sink::Mailbox(mailbox) if matches!(mailbox.overflow, Overflow::Block(_)))
    }

    /// [`Subscriber::hand`] where there is room for the event; otherwise it is full, and nothing has changed.
    pub(crate) fn hand_if_room(&self, event: &Arc<Event>) -> Offer {
        match &self.sink {
            Sink::Callback(_) => self.hand(event, false),
            Sink::Mailbox(mailbox) => self.admit(event, |event| mailbox.offer_room(event)),
        }
    }
}

impl Listener {
    /// Calls back. False when the subscription has ended.
    #[inline]
    pub(crate) fn call(&self, event: &Event) -> bool {
        if self.gone.load(Ordering::Relaxed) {
            return false;
        }
        if catch_unwind(AssertUnwindSafe(|| (self.callback)(event))).is_err() {
            self.panicked(event);
        }
        true
    }

    #[cold]
    fn panicked(&self, event: &Event) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(topic = event.topic(), "a subscriber's callback panicked");
    }
}
