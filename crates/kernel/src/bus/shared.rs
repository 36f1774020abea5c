//! What all ends of a bus share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use midplane_contract::{Code, Error, Result};

use super::event::Event;
use super::rate::{Rate, Sender};
use super::registry::Registry;
use super::route::Route;
use super::stats::Look;
use super::topic;

/// What a bus is made of.
#[derive(Default)]
pub(crate) struct Shared {
    registry: RwLock<Registry>,
    /// Events of topics that are not kept.
    pub(super) other: AtomicU64,
    senders: RwLock<HashMap<Arc<str>, Arc<Sender>>>,
    /// Whether any sender was ever limited.
    limits: AtomicBool,
}

impl Shared {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the registry. What goes by that is dropped after it was unlocked.
    pub(super) fn edit<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut registry);
        let gone = std::mem::take(&mut registry.gone);
        drop(registry);
        drop(gone);
        done
    }

    /// The route of a topic, which is looked at only where it is not known yet.
    pub(super) fn route(&self, topic: &str) -> Result<Arc<Route>> {
        let known = {
            let registry = self.read();
            refuse_ended(&registry)?;
            registry.known(topic)
        };
        if let Some(route) = known {
            return Ok(route);
        }
        topic::check(topic)?;
        Ok(self.edit(|registry| registry.route(topic)))
    }

    /// Retains an event and finds its route in one step: whoever subscribes meanwhile gets it by one of the two.
    pub(super) fn keep(&self, event: Event, retain: bool) -> Result<(Arc<Route>, Arc<Event>)> {
        let event = Arc::new(event);
        self.edit(|registry| {
            refuse_ended(registry)?;
            if retain {
                registry.retained.set(&event);
            }
            Ok((registry.route(event.topic()), event))
        })
    }

    pub(super) fn limit(&self, sender: &str, rate: Option<Rate>) {
        self.sender(sender).limit(rate);
        self.limits.store(true, Ordering::Release);
    }

    pub(super) fn sender(&self, name: &str) -> Arc<Sender> {
        let mut senders = self.senders.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(senders.entry(name.into()).or_default())
    }

    pub(super) fn pass(&self, name: &str) -> Result<()> {
        if !self.limits.load(Ordering::Acquire) {
            return Ok(());
        }
        let known = self.senders.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.map_or(Ok(()), |sender| sender.pass(name))
    }

    pub(super) fn refused(&self, look: Look) -> u64 {
        let senders = self.senders.read().unwrap_or_else(PoisonError::into_inner);
        senders.values().map(|sender| look.at(&sender.refused)).sum()
    }
}

fn refuse_ended(registry: &Registry) -> Result<()> {
    if registry.ended { Err(Error::new(Code::NotRunning, "the host is shutting down")) } else { Ok(()) }
}
