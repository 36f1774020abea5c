//! The fetches of one generation: how many at once, and how they are ended from outside.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_channel::Sender;
use async_lock::{Semaphore, SemaphoreGuard};
use futures_lite::future::{block_on, or};
use midplane_contract::{Code, Error, Result, defaults};

use crate::alarm::until;
use crate::fetch::Stop;

/// The fetches of one generation.
pub(crate) struct Fetching {
    permits: Semaphore,
    under_way: Mutex<UnderWay>,
    seats: AtomicU64,
}

#[derive(Default)]
struct UnderWay {
    ended: bool,
    next: u64,
    /// Who asked, and what ends it when it is dropped.
    fetches: BTreeMap<u64, (u64, Sender<()>)>,
}

impl Fetching {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(defaults::FETCHES_PER_PLUGIN),
            under_way: Mutex::default(),
            seats: AtomicU64::new(0),
        })
    }

    /// A number for one more instance.
    pub(crate) fn seat(&self) -> u64 {
        self.seats.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits for its turn and begins a fetch of an instance.
    ///
    /// # Errors
    /// `deadline_exceeded`, `cancelled`.
    pub(super) fn begin(&self, seat: u64, deadline: Instant) -> Result<Errand<'_>> {
        let (sender, receiver) = async_channel::bounded(1);
        let stop = Stop(Some(receiver));
        let mut under_way = self.lock();
        if under_way.ended {
            return Err(given_up());
        }
        let number = under_way.next;
        under_way.next += 1;
        under_way.fetches.insert(number, (seat, sender));
        drop(under_way);
        let mut errand = Errand { of: self, number, stop, permit: None };
        let turn = or(async { Some(self.permits.acquire().await) }, async {
            errand.stop.stopped().await;
            None
        });
        errand.permit = match block_on(until(deadline, turn)) {
            Ok(Some(permit)) => Some(permit),
            Ok(None) => return Err(given_up()),
            Err(_) => return Err(no_turn()),
        };
        Ok(errand)
    }

    /// Ends what an instance fetches.
    pub(super) fn interrupt(&self, seat: u64) {
        self.lock().fetches.retain(|_, (whose, _)| *whose != seat);
    }

    /// Ends all of them, for good.
    pub(crate) fn end(&self) {
        let mut under_way = self.lock();
        under_way.ended = true;
        under_way.fetches.clear();
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One fetch that has its turn.
pub(super) struct Errand<'a> {
    of: &'a Fetching,
    number: u64,
    pub(super) stop: Stop,
    permit: Option<SemaphoreGuard<'a>>,
}

impl Drop for Errand<'_> {
    fn drop(&mut self) {
        self.permit = None;
        self.of.lock().fetches.remove(&self.number);
    }
}

fn given_up() -> Error {
    Error::new(Code::Cancelled, "nobody waits for the fetch any longer")
}

fn no_turn() -> Error {
    let most = defaults::FETCHES_PER_PLUGIN;
    Error::new(Code::DeadlineExceeded, format!("the deadline passed while {most} other fetches of the plugin went on"))
        .remedy("fetch less at once, or give the call more time")
        .with("stage", "turn")
        .with("limit", most as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(5)
    }

    fn late() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn more_fetches_than_allowed_wait_until_another_ends() {
        let fetching = Fetching::new();
        let begin = |deadline| fetching.begin(0, deadline);
        let mut under_way: Vec<_> = (0..defaults::FETCHES_PER_PLUGIN).map(|_| begin(late()).unwrap()).collect();
        assert_eq!(begin(soon()).map(drop).unwrap_err().code(), Code::DeadlineExceeded);
        under_way.pop();
        under_way.push(begin(late()).unwrap());
    }

    #[test]
    fn an_interruption_ends_the_fetches_of_one_instance() {
        let fetching = Fetching::new();
        let (one, other) = (fetching.begin(1, late()).unwrap(), fetching.begin(2, late()).unwrap());
        fetching.interrupt(1);
        block_on(one.stop.stopped());
        assert!(block_on(until(soon(), other.stop.stopped())).is_err());
        drop(fetching.begin(1, late()).unwrap());
        fetching.end();
        block_on(other.stop.stopped());
        assert_eq!(fetching.begin(2, late()).map(drop).unwrap_err().code(), Code::Cancelled);
    }
}
