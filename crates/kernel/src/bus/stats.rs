//! Snapshots of the bus for observers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::registry::{Counts, Registration};
use super::shared::Shared;
use super::subscriber::{Sink, Subscriber};

/// What there is to know of the bus at one moment. Counts are exact, since the host began or they were reset.
#[derive(Debug, Clone, Serialize)]
pub struct Stats {
    /// Events that were published, those without subscribers included.
    pub total_published: u64,
    /// Subscribers just now.
    pub total_subscribers: usize,
    /// Events by topic, for the first 16,384 topics.
    pub published_by_type: BTreeMap<String, u64>,
    /// Events of further topics.
    pub published_on_other_types: u64,
    /// Events that were refused because their sender was faster than it may be.
    pub rate_limited: u64,
    /// Topics with a retained value.
    pub retained: usize,
    /// Each subscriber.
    pub subscribers: Vec<SubscriberStats>,
}

/// What there is to know of one subscriber.
#[derive(Debug, Clone, Serialize)]
pub struct SubscriberStats {
    /// Its name: the plugin's id, what the program calls it, or its pattern.
    pub name: String,
    /// What it asked for.
    pub patterns: Vec<String>,
    /// Its queue group, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it is called on its publishers' threads.
    pub synchronous: bool,
    /// How its queue overflows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<&'static str>,
    /// Events that reached it: they were read, or stand in its queue. With the dropped ones all that were for it.
    pub delivered: u64,
    /// Events that gave way to others or found no room.
    pub dropped: u64,
    /// Events that stand in its queue.
    pub waiting: usize,
    /// How often its filter said no.
    pub filtered: u64,
    /// Calls back that ended in a panic.
    pub panics: u64,
}

/// How counters are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// They go on.
    Leave,
    /// They begin anew: what they counted is told once, and nothing is between.
    Zero,
}

impl Look {
    pub(crate) fn at(self, counter: &AtomicU64) -> u64 {
        match self {
            Self::Leave => counter.load(Ordering::Acquire),
            Self::Zero => counter.swap(0, Ordering::AcqRel),
        }
    }
}

pub(crate) fn of(shared: &Shared, look: Look) -> Stats {
    let registry = shared.read();
    let counts = registry.counts(look);
    let published_on_other_types = look.at(&shared.other);
    let known = registry.subscribers();
    let subscribers: Vec<SubscriberStats> =
        known.iter().map(|(subscriber, patterns)| of_one(&counts, subscriber, patterns, look)).collect();
    let held: Vec<Arc<Subscriber>> = known.into_iter().map(|(subscriber, _)| subscriber).collect();
    let retained = registry.retained.len();
    // What these may be the last to hold must not be dropped while the registry is locked.
    drop(registry);
    drop(held);
    let published_by_type = counts.published;
    Stats {
        total_published: published_by_type
            .values()
            .fold(published_on_other_types, |sum, count| sum.wrapping_add(*count)),
        total_subscribers: subscribers.len(),
        published_by_type,
        published_on_other_types,
        rate_limited: shared.refused(look),
        retained,
        subscribers,
    }
}

fn of_one(
    counts: &Counts,
    subscriber: &Arc<Subscriber>,
    registrations: &[&Registration],
    look: Look,
) -> SubscriberStats {
    let (delivered, dropped, waiting, panics, overflow) = match &subscriber.sink {
        Sink::Callback(listener) => {
            let brought = counts.brought.get(&Arc::as_ptr(subscriber)).copied().unwrap_or_default();
            (look.at(&listener.delivered).wrapping_add(brought), 0, 0, look.at(&listener.panics), None)
        }
        Sink::Mailbox(mailbox) => {
            let tally = mailbox.tally(look);
            (tally.offered - tally.dropped, tally.dropped, tally.waiting, 0, Some(mailbox.overflow.name()))
        }
    };
    SubscriberStats {
        name: subscriber.name.to_string(),
        patterns: registrations.iter().map(|registration| registration.pattern.as_str().to_owned()).collect(),
        group: registrations.iter().find_map(|registration| registration.group.as_deref().map(str::to_owned)),
        synchronous: overflow.is_none(),
        overflow,
        delivered,
        dropped,
        waiting,
        filtered: look.at(&subscriber.filtered),
        panics,
    }
}
