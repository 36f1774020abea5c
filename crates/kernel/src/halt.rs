//! Stopping a running call from outside, and nothing but that call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;

use crate::alarm::Alarm;
use crate::runtime::Interrupt;

/// Longest pause between two interruptions of a call that has not heard the first.
const PAUSE: Duration = Duration::from_millis(100);

/// A way to stop one call. Its thread says when the call has returned; from then on nothing is interrupted, so that the
/// instance's next call is left alone.
pub(crate) struct Halt {
    interrupt: Option<Arc<dyn Interrupt>>,
    returned: Mutex<bool>,
}

impl Halt {
    pub(crate) fn new(interrupt: Option<Arc<dyn Interrupt>>) -> Arc<Self> {
        Arc::new(Self { interrupt, returned: Mutex::new(false) })
    }

    /// The call has returned. To be said before its instance is given away.
    pub(crate) fn returned(&self) {
        *self.lock() = true;
    }

    /// Interrupts the call, unless it has returned. Says whether there may be more to do.
    pub(crate) fn interrupt(&self) -> bool {
        let returned = self.lock();
        match &self.interrupt {
            Some(interrupt) if !*returned => {
                interrupt.interrupt();
                true
            }
            _ => false,
        }
    }

    /// Interrupts until the call has returned, or an instant has passed: an interruption that comes before the call has
    /// begun is lost.
    fn insist(self: &Arc<Self>, until: Instant) {
        if !self.interrupt() {
            return;
        }
        let halt = Arc::clone(self);
        blocking::unblock(move || {
            let mut pause = Duration::from_millis(1);
            while halt.interrupt() && Instant::now() < until {
                block_on(Alarm::at(Instant::now() + pause));
                pause = (pause * 2).min(PAUSE);
            }
        })
        .detach();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops a call whose caller has gone.
pub(crate) struct HaltOnDrop {
    halt: Option<Arc<Halt>>,
    until: Instant,
}

impl HaltOnDrop {
    /// Until an instant: a runtime that does not hear an interruption ends the call by its deadline.
    pub(crate) fn new(halt: &Arc<Halt>, until: Instant) -> Self {
        Self { halt: Some(Arc::clone(halt)), until }
    }

    /// Interrupts the call.
    pub(crate) fn interrupt(&self) {
        if let Some(halt) = &self.halt {
            halt.interrupt();
        }
    }

    /// What is said of a call that still runs after it was to end.
    pub(crate) fn outlived(&self) -> &'static str {
        match self.halt.as_ref().and_then(|halt| halt.interrupt.as_ref()).filter(|interrupt| interrupt.ends_code()) {
            Some(_) => "the call took too long, and had not stopped 500 ms after it was told to",
            None => "the call took too long; it goes on in its thread until it ends by itself",
        }
    }

    /// There is nothing left to stop.
    pub(crate) fn disarm(&mut self) {
        self.halt = None;
    }
}

impl Drop for HaltOnDrop {
    fn drop(&mut self) {
        if let Some(halt) = &self.halt {
            halt.insist(self.until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Interrupt for Count {
        fn interrupt(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_call_that_has_returned_is_not_interrupted() {
        let count = Arc::new(Count::default());
        let halt = Halt::new(Some(Arc::clone(&count) as Arc<dyn Interrupt>));
        assert!(halt.interrupt());
        halt.returned();
        assert!(!halt.interrupt());
        drop(HaltOnDrop::new(&halt, Instant::now() + Duration::from_secs(60)));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_call_that_does_not_hear_is_interrupted_again() {
        let count = Arc::new(Count::default());
        let halt = Halt::new(Some(Arc::clone(&count) as Arc<dyn Interrupt>));
        drop(HaltOnDrop::new(&halt, Instant::now() + Duration::from_secs(60)));
        while count.0.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        halt.returned();
    }
}
