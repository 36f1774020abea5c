//! Who may use an engine: a call, or work between calls. One at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Between two looks of a call that waits whether the kernel still wants it.
const GLANCE: Duration = Duration::from_millis(20);

/// Lets one through at a time. Free, it costs one exchange to enter and one to leave.
///
/// CONCURRENCY: whoever waits counts itself before it tries again under the lock; whoever leaves opens before it looks at
/// the count. Both in one total order, so that one of them sees the other.
#[derive(Debug, Default)]
pub(crate) struct Turnstile {
    taken: AtomicBool,
    waiting: AtomicUsize,
    lock: Mutex<()>,
    opened: Condvar,
}

impl Turnstile {
    /// Enters if nobody is in.
    pub(crate) fn try_enter(&self) -> bool {
        !self.taken.swap(true, Ordering::SeqCst)
    }

    /// Enters; waits for whoever is in. False when the time is over or the kernel wants the call to end.
    pub(crate) fn enter(&self, clock: &Clock, until: impl FnOnce() -> Instant) -> bool {
        self.try_enter() || self.wait(clock, until())
    }

    #[cold]
    fn wait(&self, clock: &Clock, until: Instant) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = loop {
            if self.try_enter() {
                break true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || clock.wants_call_to_end() {
                break false;
            }
            guard = self.opened.wait_timeout(guard, left.min(GLANCE)).unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(guard);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        entered
    }

    /// Leaves, and lets the next one in.
    pub(crate) fn leave(&self) {
        self.taken.store(false, Ordering::SeqCst);
        if self.is_awaited() {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.opened.notify_one();
        }
    }

    /// Whether somebody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }
}
