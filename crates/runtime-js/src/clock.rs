//! Time and cancellation of one instance: what the engine's interrupt handler looks at.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use midplane_kernel::{Deadline, Interrupt};

/// Who runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A call or a hook: the kernel's interrupts are for it.
    Call,
    /// Work between calls: timers and what they begin.
    Background,
}

/// Why running code was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its time was over.
    Deadline,
    /// The caller gave up, or the instance goes away.
    Cancelled,
}

const RUNS: u8 = 0;
const LATE: u8 = 1;
const CANCELLED: u8 = 2;
const NO_END: u64 = 0;

/// The clock of one instance.
///
/// CONCURRENCY: `enter`, `arm`, `look` and `leave` are the owner's, who holds the instance; `interrupt` and `close` are
/// anybody's. An interrupt names the call that it found running, so that one that comes late stops nothing else.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Odd while the kernel has a call or hook here, also one that still waits for its turn.
    calls: AtomicU64,
    /// The number of the call that is to end.
    stop: AtomicU64,
    /// The instance goes away: everything ends.
    closed: AtomicBool,
    background: AtomicBool,
    /// Time of what runs, in nanoseconds.
    span: AtomicU64,
    /// When that is over, in nanoseconds since [`origin`]; 0 until somebody has asked.
    end: AtomicU64,
    fired: AtomicU8,
    bell: Mutex<()>,
    rung: Condvar,
}

impl Clock {
    /// The kernel comes with a call or hook.
    pub(crate) fn enter(&self) {
        let number = self.calls.load(Ordering::Relaxed);
        self.calls.store(number | 1, Ordering::Relaxed);
    }

    /// It is done with it.
    pub(crate) fn leave(&self) {
        let number = self.calls.load(Ordering::Relaxed);
        self.calls.store((number | 1).wrapping_add(1), Ordering::Release);
    }

    /// Code begins to run and has so much time. No clock is read before the first look.
    pub(crate) fn arm(&self, errand: Errand, deadline: Deadline) {
        match deadline {
            Deadline::After(span) => {
                self.span.store(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
                self.end.store(NO_END, Ordering::Relaxed);
            }
            Deadline::At(end) => self.end.store(nanos(end).max(1), Ordering::Relaxed),
        }
        self.background.store(errand == Errand::Background, Ordering::Relaxed);
        self.fired.store(RUNS, Ordering::Relaxed);
    }

    /// When what runs must have ended.
    pub(crate) fn end(&self) -> Instant {
        let mut end = self.end.load(Ordering::Relaxed);
        if end == NO_END {
            end = nanos(Instant::now()).saturating_add(self.span.load(Ordering::Relaxed)).max(1);
            self.end.store(end, Ordering::Relaxed);
        }
        // A century is as good as never, and never overflows.
        origin() + Duration::from_nanos(end.min(3_000_000_000_000_000_000))
    }

    /// Whether what runs has to stop, by now. Once it has, it stays so.
    pub(crate) fn look(&self) -> bool {
        if self.fired.load(Ordering::Relaxed) != RUNS {
            return true;
        }
        let end = self.end();
        let fired = if self.is_cancelled() {
            CANCELLED
        } else if Instant::now() >= end {
            LATE
        } else {
            return false;
        };
        self.fired.store(fired, Ordering::Relaxed);
        true
    }

    /// Why what runs was stopped, if a look found that it has to.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        match self.fired.load(Ordering::Relaxed) {
            LATE => Some(Stop::Deadline),
            CANCELLED => Some(Stop::Cancelled),
            _ => None,
        }
    }

    /// Waits until an instant, or until something has to be looked at.
    pub(crate) fn wait(&self, until: Instant) {
        let guard = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.is_cancelled() {
            return;
        }
        drop(self.rung.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner));
    }

    /// The kernel wants the call that it has here to end.
    pub(crate) fn wants_call_to_end(&self) -> bool {
        self.stop.load(Ordering::Acquire) == self.calls.load(Ordering::Relaxed) || self.closed.load(Ordering::Acquire)
    }

    /// Whether a call runs, not work between calls, and is to end.
    pub(crate) fn ends_a_call(&self) -> bool {
        !self.background.load(Ordering::Relaxed) && self.wants_call_to_end()
    }

    /// The instance goes away: ends whatever runs, also in the background.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.ring();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn is_cancelled(&self) -> bool {
        let background = self.background.load(Ordering::Relaxed);
        if background { self.is_closed() } else { self.wants_call_to_end() }
    }

    fn ring(&self) {
        drop(self.bell.lock().unwrap_or_else(PoisonError::into_inner));
        self.rung.notify_all();
    }
}

impl Interrupt for Clock {
    fn interrupt(&self) {
        let number = self.calls.load(Ordering::Acquire);
        if number & 1 == 1 {
            self.stop.store(number, Ordering::Release);
            self.ring();
        }
    }
}

/// Where the nanoseconds of this module begin.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// Nanoseconds since [`origin`]; 0 for what lies before.
fn nanos(instant: Instant) -> u64 {
    u64::try_from(instant.saturating_duration_since(origin()).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_stopped_by_its_own_interrupt_only() {
        let clock = Clock::default();
        clock.interrupt();
        clock.enter();
        clock.arm(Errand::Call, Deadline::After(Duration::from_secs(3600)));
        assert!(!clock.look());
        clock.interrupt();
        assert!(clock.look());
        assert_eq!(clock.stopped(), Some(Stop::Cancelled));
        clock.leave();
        clock.enter();
        clock.arm(Errand::Call, Deadline::default());
        assert!(!clock.look());
    }

    #[test]
    fn background_work_is_not_stopped_by_the_interrupt_of_a_call_that_waits() {
        let clock = Clock::default();
        clock.arm(Errand::Background, Deadline::default());
        clock.enter();
        clock.interrupt();
        assert!(clock.wants_call_to_end());
        assert!(!clock.look());
        clock.close();
        assert!(clock.look());
    }

    #[test]
    fn time_that_is_over_stops() {
        let clock = Clock::default();
        clock.enter();
        clock.arm(Errand::Call, Deadline::After(Duration::ZERO));
        assert!(clock.look());
        assert_eq!(clock.stopped(), Some(Stop::Deadline));
    }
}
