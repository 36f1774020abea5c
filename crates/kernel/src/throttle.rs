//! Lines that others cause in the host's log, so many in a second: the rest is counted, and the count is said.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use tracing::Level;

use crate::alarm::Alarm;

/// How long an [`Allowance`] lasts.
const WINDOW: Duration = Duration::from_secs(1);

/// What may be written within a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Lines at most.
    pub lines: u32,
    /// Bytes at most.
    pub bytes: usize,
}

impl Allowance {
    /// What is said of so many lines that were left out.
    #[must_use]
    pub fn excess(&self, count: u64) -> String {
        let lines = if count == 1 { "line was" } else { "lines were" };
        let (most, kib) = (self.lines, self.bytes / 1024);
        format!("{count} {lines} left out: no more than {most} lines or {kib} KiB are logged in a second")
    }
}

/// Lets through what its [`Allowance`] has room for and counts the rest. The count is said at the end of the second, and
/// what is left of it when the throttle is dropped. Cheap to clone; clones share the allowance.
#[derive(Clone)]
pub struct Throttle {
    shared: Arc<Shared>,
}

/// Says how many lines were left out, at the most severe of their levels.
type Say = Box<dyn Fn(u64, Level) + Send + Sync>;

struct Shared {
    allowance: Allowance,
    window: Mutex<Window>,
    say: Say,
}

/// The second that runs.
struct Window {
    since: Instant,
    used: Allowance,
    left_out: u64,
    worst: Level,
    /// Whether somebody waits to say the count.
    awaited: bool,
}

impl Throttle {
    /// A throttle; `say` is given the number of lines that were left out, never 0, and the most severe of their levels.
    /// It runs on a thread where it may block.
    #[must_use]
    pub fn new(allowance: Allowance, say: impl Fn(u64, Level) + Send + Sync + 'static) -> Self {
        let used = Allowance { lines: 0, bytes: 0 };
        let window = Window { since: Instant::now(), used, left_out: 0, worst: Level::TRACE, awaited: false };
        Self { shared: Arc::new(Shared { allowance, window: Mutex::new(window), say: Box::new(say) }) }
    }

    /// Whether a line of that many bytes may be written now; it is counted otherwise.
    pub fn admits(&self, level: Level, bytes: usize) -> bool {
        let mut window = self.shared.lock();
        if window.take(&self.shared.allowance, Instant::now(), bytes) {
            return true;
        }
        window.left_out += 1;
        window.worst = window.worst.min(level);
        let end = window.since + WINDOW;
        if !std::mem::replace(&mut window.awaited, true) {
            drop(window);
            self.say_at(end);
        }
        false
    }

    /// Says at once what was left out until here, if anything was.
    pub fn settle(&self) {
        self.shared.settle();
    }

    fn say_at(&self, end: Instant) {
        let shared: Weak<Shared> = Arc::downgrade(&self.shared);
        let wait = move || {
            block_on(Alarm::at(end));
            if let Some(shared) = shared.upgrade() {
                shared.lock().awaited = false;
                shared.settle();
            }
        };
        blocking::unblock(wait).detach();
    }
}

impl Window {
    fn take(&mut self, allowance: &Allowance, now: Instant, bytes: usize) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW {
            self.since = now;
            self.used = Allowance { lines: 0, bytes: 0 };
        }
        let used = Allowance { lines: self.used.lines + 1, bytes: self.used.bytes.saturating_add(bytes) };
        let fits = used.lines <= allowance.lines && used.bytes <= allowance.bytes;
        if fits {
            self.used = used;
        }
        fits
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self) {
        let mut window = self.lock();
        let left_out = std::mem::take(&mut window.left_out);
        let worst = std::mem::replace(&mut window.worst, Level::TRACE);
        drop(window);
        if left_out > 0 {
            (self.say)(left_out, worst);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.settle();
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Throttle").field("allowance", &self.shared.allowance).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn throttle(lines: u32, bytes: usize) -> (Throttle, mpsc::Receiver<(u64, Level)>) {
        let (tell, told) = mpsc::channel();
        (Throttle::new(Allowance { lines, bytes }, move |count, level| tell.send((count, level)).unwrap()), told)
    }

    #[test]
    fn lines_over_the_allowance_are_counted_and_the_count_is_said_without_another_line() {
        let (throttle, told) = throttle(3, 1000);
        let levels = [Level::INFO, Level::INFO, Level::INFO, Level::WARN, Level::ERROR, Level::DEBUG];
        let admitted: Vec<bool> = levels.map(|level| throttle.admits(level, 10)).to_vec();
        assert_eq!(admitted, [true, true, true, false, false, false]);
        assert_eq!(told.recv().unwrap(), (3, Level::ERROR));
    }

    #[test]
    fn what_was_left_out_is_said_with_the_limit() {
        let allowance = Allowance { lines: 1000, bytes: 1024 * 1024 };
        let said = "2 lines were left out: no more than 1000 lines or 1024 KiB are logged in a second";
        assert_eq!(allowance.excess(2), said);
        assert!(allowance.excess(1).starts_with("1 line was left out"));
    }

    #[test]
    fn long_lines_use_the_allowance_up_as_well() {
        let (throttle, told) = throttle(100, 20);
        assert!(throttle.admits(Level::INFO, 15));
        assert!(!throttle.admits(Level::INFO, 6));
        assert!(throttle.admits(Level::INFO, 5));
        drop(throttle);
        assert_eq!(told.iter().collect::<Vec<_>>(), [(1, Level::INFO)]);
    }

    #[test]
    fn a_second_later_there_is_room_again() {
        let allowance = Allowance { lines: 1, bytes: 10 };
        let since = Instant::now();
        let used = Allowance { lines: 0, bytes: 0 };
        let mut window = Window { since, used, left_out: 0, worst: Level::TRACE, awaited: false };
        assert!(window.take(&allowance, since, 1));
        assert!(!window.take(&allowance, since + WINDOW / 2, 1));
        assert!(window.take(&allowance, since + WINDOW, 1));
    }

    #[test]
    fn what_was_left_out_is_said_when_it_ends_and_once() {
        let (throttle, told) = throttle(0, 0);
        throttle.admits(Level::INFO, 1);
        throttle.settle();
        throttle.settle();
        drop(throttle);
        assert_eq!(told.iter().collect::<Vec<_>>(), [(1, Level::INFO)]);
    }
}
