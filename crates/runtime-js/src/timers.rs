//! The timers of one instance: when they are due. What they do stays in the engine.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Timers of one instance at once.
pub(crate) const MOST: usize = 10_000;

/// The shortest interval, as in browsers and Node.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest time, as in browsers and Node: 2^31 - 1 ms. More is as good as none.
const LONGEST_MS: f64 = 2_147_483_647.0;

/// The timers of one instance.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    table: Mutex<Table>,
    any: AtomicBool,
    used: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    last: u32,
    due: BTreeSet<(Instant, u32)>,
    known: HashMap<u32, Timer>,
}

#[derive(Debug, Clone, Copy)]
struct Timer {
    due: Instant,
    every: Option<Duration>,
}

impl Timers {
    /// Sets one; `None` when there are too many.
    pub(crate) fn set(&self, milliseconds: f64, repeats: bool) -> Option<u32> {
        let mut table = self.table();
        if table.known.len() >= MOST {
            return None;
        }
        let valid = milliseconds.is_finite() && (0.0..=LONGEST_MS).contains(&milliseconds);
        let time = Duration::from_secs_f64(if valid { milliseconds / 1000.0 } else { 0.0 }).max(SHORTEST);
        table.last = table.last.wrapping_add(1).max(1);
        let (id, due) = (table.last, Instant::now() + time);
        table.due.insert((due, id));
        table.known.insert(id, Timer { due, every: repeats.then_some(time) });
        self.any.store(true, Ordering::Release);
        self.used.store(true, Ordering::Relaxed);
        Some(id)
    }

    /// Whether there ever was one.
    #[inline]
    pub(crate) fn were_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Ends one. Nothing happens when there is none.
    pub(crate) fn clear(&self, id: u32) {
        let mut table = self.table();
        if let Some(timer) = table.known.remove(&id) {
            table.due.remove(&(timer.due, id));
        }
        self.any.store(!table.known.is_empty(), Ordering::Release);
    }

    /// Ends all.
    pub(crate) fn clear_all(&self) {
        let mut table = self.table();
        table.due.clear();
        table.known.clear();
        self.any.store(false, Ordering::Release);
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.table().due.first().map(|(due, _)| *due)
    }

    /// One that was due by then, which is then set again if it repeats. What repeats and was missed happens once.
    pub(crate) fn take_due(&self, by: Instant) -> Option<u32> {
        let mut table = self.table();
        let (due, id) = *table.due.first()?;
        if due > by {
            return None;
        }
        table.due.remove(&(due, id));
        let every = table.known.get(&id).and_then(|timer| timer.every);
        match every {
            Some(time) => {
                // Never at once again: whoever runs all that are due has to come to an end.
                let next = Timer { due: (due + time).max(by + SHORTEST), every };
                table.due.insert((next.due, id));
                table.known.insert(id, next);
            }
            None => {
                table.known.remove(&id);
            }
        }
        self.any.store(!table.known.is_empty(), Ordering::Release);
        Some(id)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_due_once_and_an_interval_again() {
        let timers = Timers::default();
        let (once, again) = (timers.set(0.0, false).unwrap(), timers.set(f64::NAN, true).unwrap());
        let mut seen = Vec::new();
        while seen.iter().filter(|id| **id == again).count() < 3 {
            seen.extend(timers.take_due(Instant::now()));
        }
        assert_eq!(seen.iter().filter(|id| **id == once).count(), 1);
        timers.clear(again);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn there_are_not_more_timers_than_allowed() {
        let timers = Timers::default();
        assert!((0..MOST).all(|_| timers.set(1e9, false).is_some()));
        assert_eq!(timers.set(1.0, false), None);
        timers.clear_all();
        assert!(timers.set(1.0, false).is_some());
    }
}
