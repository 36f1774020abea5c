//! A subscriber's end of the bus.

use std::sync::{Arc, Weak};

use futures_lite::future::block_on;

use super::event::Event;
use super::shared::Shared;
use super::stats::Look;
use super::subscriber::{Sink, Subscriber};

/// One registration. Ends when it goes.
pub(crate) struct Registered {
    pub(crate) number: u64,
    pub(crate) bus: Weak<Shared>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.edit(|registry| registry.remove(self.number));
        }
    }
}

/// Receives the events of a pattern, in the order of their publishing. Dropping it ends it.
pub struct Subscription {
    pub(crate) subscriber: Arc<Subscriber>,
    pub(crate) _registered: Registered,
}

impl Drop for Subscription {
    /// Nobody will read what waits: publishers' routes may hold the subscriber for long, and whoever waits for the answer to
    /// a request among it is to know at once.
    fn drop(&mut self) {
        self.subscriber.end();
        while self.try_next().is_some() {}
    }
}

impl Subscription {
    /// The next event; waits for it. `None` once the kernel is gone, or the subscriber was disconnected because its
    /// queue ran over, and what waited was taken.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        let Sink::Mailbox(mailbox) = &self.subscriber.sink else { return None };
        std::future::poll_fn(|context| mailbox.poll_take(context)).await
    }

    /// The next event, waiting on this thread.
    #[must_use]
    pub fn next_blocking(&mut self) -> Option<Arc<Event>> {
        block_on(self.next())
    }

    /// An event that is there already.
    #[must_use]
    #[inline]
    pub fn try_next(&self) -> Option<Arc<Event>> {
        match &self.subscriber.sink {
            Sink::Mailbox(mailbox) => mailbox.take(),
            Sink::Callback(_) => None,
        }
    }

    /// Events that gave way, or did not get in, because nobody read them in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match &self.subscriber.sink {
            Sink::Mailbox(mailbox) => mailbox.tally(Look::Leave).dropped,
            Sink::Callback(_) => 0,
        }
    }
}

/// A callback that is called as long as this is there.
#[must_use = "the callback is called only as long as this is there"]
pub struct Listening {
    pub(crate) subscriber: Arc<Subscriber>,
    pub(crate) _registered: Registered,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.subscriber.end();
    }
}
