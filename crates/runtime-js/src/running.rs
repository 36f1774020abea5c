//! What runs in an engine right now: the call or hook that its questions to the host belong to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use midplane_kernel::{Caller, Scope};

/// What [`Running`] keeps where there is no action.
const NO_ACTION: u32 = u32::MAX;

/// The call or hook that runs; what runs between calls is the plugin's own affair.
///
/// CONCURRENCY: written by whoever has entered the engine, and read by the functions inside it, on the same thread. So
/// nothing orders these fields but that. A call of the host's own, which most are, takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Running {
    number: AtomicU32,
    is_over: AtomicBool,
    action: AtomicU32,
    /// Whether `origin` is this call's.
    has_origin: AtomicBool,
    origin: Mutex<Origin>,
}

/// On whose behalf it runs. When it ends is the clock's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) trace: Option<Arc<str>>,
}

impl Running {
    /// Something begins; gives its number, which is never 0.
    #[inline]
    pub(crate) fn begin(&self, scope: &Scope, action: Option<u32>) -> u32 {
        let number = self.number.load(Ordering::Relaxed).wrapping_add(1).max(1);
        self.number.store(number, Ordering::Relaxed);
        self.is_over.store(false, Ordering::Relaxed);
        self.action.store(action.unwrap_or(NO_ACTION), Ordering::Relaxed);
        let has_origin = scope.caller.is_some() || scope.trace.is_some();
        self.has_origin.store(has_origin, Ordering::Relaxed);
        if has_origin {
            *self.origin() = Origin { caller: scope.caller.clone(), trace: scope.trace.clone() };
        }
        number
    }

    /// It has ended: what it leaves behind asks the host on the plugin's own account.
    #[inline]
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Where the call with this number comes from, 0 for whatever runs, and its action; `None` when it has ended.
    pub(crate) fn get(&self, number: u32) -> Option<(Origin, Option<u32>)> {
        let is_another = number != 0 && number != self.number.load(Ordering::Relaxed);
        if self.is_over.load(Ordering::Relaxed) || is_another {
            return None;
        }
        let action = Some(self.action.load(Ordering::Relaxed)).filter(|action| *action != NO_ACTION);
        let has_origin = self.has_origin.load(Ordering::Relaxed);
        Some((if has_origin { self.origin().clone() } else { Origin::default() }, action))
    }

    fn origin(&self) -> MutexGuard<'_, Origin> {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_has_ended_says_nothing_of_itself_nor_of_the_next_one() {
        let (running, traced) = (Running::default(), Scope { trace: Some("00-1".into()), ..Scope::default() });
        let first = running.begin(&traced, Some(3));
        assert_eq!(running.get(first).unwrap().0.trace.as_deref(), Some("00-1"));
        assert_eq!(running.get(0).unwrap().1, Some(3));
        running.end();
        assert!(running.get(first).is_none() && running.get(0).is_none());
        let second = running.begin(&Scope::default(), None);
        assert!(running.get(first).is_none());
        let (origin, action) = running.get(second).unwrap();
        assert_eq!((origin.trace, action), (None, None));
    }
}
