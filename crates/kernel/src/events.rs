//! The host's own events: what happens to plugins, in the contract's envelope.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_channel::{Receiver, Sender};
use futures_lite::future::block_on;
use midplane_contract::{Envelope, defaults};

/// Receives events of a pattern, in order. Holds at most 1,024; the oldest gives way to the newest and is counted.
pub struct Subscription {
    events: Receiver<Arc<Envelope>>,
    dropped: Arc<AtomicU64>,
    _keep: Arc<()>,
}

impl Subscription {
    /// The next event; waits for it. `None` once the kernel is gone.
    pub async fn next(&self) -> Option<Arc<Envelope>> {
        self.events.recv().await.ok()
    }

    /// The next event, waiting on this thread.
    #[must_use]
    pub fn next_blocking(&self) -> Option<Arc<Envelope>> {
        block_on(self.next())
    }

    /// An event that is there already.
    #[must_use]
    pub fn try_next(&self) -> Option<Arc<Envelope>> {
        self.events.try_recv().ok()
    }

    /// Events that gave way because nobody read them in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

struct Subscriber {
    pattern: String,
    sender: Sender<Arc<Envelope>>,
    dropped: Arc<AtomicU64>,
    alive: Weak<()>,
}

/// Hands events to subscribers.
#[derive(Default)]
pub(crate) struct Events {
    subscribers: Mutex<Vec<Subscriber>>,
}

impl Events {
    /// Begins to receive events whose type matches: `*` for all, `plugin.*` for a level, or a whole type. `module.` is
    /// another word for `plugin.`.
    pub(crate) fn subscribe(&self, pattern: &str) -> Subscription {
        let (sender, events) = async_channel::bounded(defaults::QUEUE_PER_SUBSCRIBER);
        let (dropped, keep) = (Arc::new(AtomicU64::new(0)), Arc::new(()));
        let pattern =
            pattern.strip_prefix("module.").map_or_else(|| pattern.to_owned(), |rest| format!("plugin.{rest}"));
        let subscriber = Subscriber { pattern, sender, dropped: Arc::clone(&dropped), alive: Arc::downgrade(&keep) };
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
        Subscription { events, dropped, _keep: keep }
    }

    /// Hands an event to everybody whose pattern it matches. Never waits.
    pub(crate) fn publish(&self, event: Envelope) {
        let event = Arc::new(event);
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| subscriber.alive.strong_count() > 0);
        for subscriber in subscribers.iter().filter(|subscriber| matches(&subscriber.pattern, &event.event_type)) {
            if let Ok(Some(_)) = subscriber.sender.force_send(Arc::clone(&event)) {
                subscriber.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => pattern == event_type,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn subscribers_get_what_their_pattern_names() {
        let events = Events::default();
        let (all, level, old, one) = (
            events.subscribe("*"),
            events.subscribe("plugin.*"),
            events.subscribe("module.*"),
            events.subscribe("plugin.loaded"),
        );
        events.publish(Envelope::from_core("plugin.loaded", Value::Null));
        events.publish(Envelope::from_core("plugin.started", Value::Null));
        events.publish(Envelope::from_core("host.started", Value::Null));
        let count = |subscription: &Subscription| std::iter::from_fn(|| subscription.try_next()).count();
        assert_eq!((count(&all), count(&level), count(&old), count(&one)), (3, 2, 2, 1));
    }

    #[test]
    fn the_oldest_gives_way_and_is_counted() {
        let events = Events::default();
        let subscription = events.subscribe("*");
        for number in 0..defaults::QUEUE_PER_SUBSCRIBER + 3 {
            events.publish(Envelope::from_core("n", Value::from(number)));
        }
        assert_eq!(subscription.dropped(), 3);
        assert_eq!(subscription.try_next().unwrap().data, Value::from(3));
    }
}
