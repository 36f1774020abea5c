//! A gate that a fake plugin waits at until the test opens it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Rung whenever anything that somebody may wait for has changed. One for all: tests are small.
static BELL: Bell = Bell { changes: Mutex::new(()), changed: Condvar::new() };

struct Bell {
    changes: Mutex<()>,
    changed: Condvar,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody who waits to look again.
pub(crate) fn ring() {
    drop(BELL.lock());
    BELL.changed.notify_all();
}

/// Waits until a condition holds or an instant has passed; says whether it holds.
pub(crate) fn wait_until(end: Option<Instant>, mut holds: impl FnMut() -> bool) -> bool {
    let mut changes = BELL.lock();
    loop {
        if holds() {
            return true;
        }
        changes = match end.map(|end| end.saturating_duration_since(Instant::now())) {
            Some(left) if left.is_zero() => return false,
            Some(left) => BELL.changed.wait_timeout(changes, left).unwrap_or_else(PoisonError::into_inner).0,
            None => BELL.changed.wait(changes).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// A gate, closed at first. Cheap to clone; all clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: AtomicBool,
    arrived: AtomicUsize,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody through, for good.
    pub fn open(&self) {
        self.inner.open.store(true, Ordering::SeqCst);
        ring();
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.inner.open.load(Ordering::SeqCst)
    }

    /// How many have come to the gate so far.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.inner.arrived.load(Ordering::SeqCst)
    }

    /// Waits until so many have come; `false` when they have not within [`crate::PATIENCE`].
    #[must_use]
    pub fn wait_for(&self, arrivals: usize) -> bool {
        wait_until(Some(Instant::now() + crate::PATIENCE), || self.arrived() >= arrivals)
    }

    pub(crate) fn arrive(&self) {
        self.inner.arrived.fetch_add(1, Ordering::SeqCst);
        ring();
    }
}
