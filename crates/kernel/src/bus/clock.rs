//! The time of publishing, in nanoseconds since 1970.
//!
//! Reading the system's clock costs as much as everything else about an event with one subscriber. So in a burst, more than
//! 128 events in a millisecond, a thread reads it once in a millisecond for all, and times are as coarse as that, or as the
//! machine is late to run the thread; as soon as no event came for a millisecond, the clock is read for each again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime};

/// Events in about a millisecond that are a burst.
const BURST: u64 = 128;
/// A window of a burst is 2²⁰ ns.
const WINDOW_BITS: u32 = 20;
const COUNT_BITS: u32 = 16;

/// The time that the thread read last; 0 while it sleeps.
static TICKED: AtomicU64 = AtomicU64::new(0);
/// The latest time that was read for one event alone.
static EXACT: AtomicU64 = AtomicU64::new(0);
/// By how much the thread's time may be behind that one. If it is by more, the system's clock was set back.
const BEHIND: u64 = 1_000_000_000;
/// Whether anybody used it since.
static USED: AtomicBool = AtomicBool::new(false);
/// The window that events were counted in last, and how many there were: an estimate, so plain stores do.
static WINDOW: AtomicU64 = AtomicU64::new(0);

static TICKER: LazyLock<Option<Thread>> = LazyLock::new(|| {
    let thread = thread::Builder::new().name("midplane-clock".into()).spawn(tick);
    thread.ok().map(|handle| handle.thread().clone())
});

/// The time now. On one thread it goes on or stands still, unless the system's clock is set back.
#[inline]
pub(super) fn now() -> u64 {
    let ticked = TICKED.load(Ordering::Relaxed);
    if ticked == 0 {
        return exact();
    }
    if !USED.load(Ordering::Relaxed) {
        USED.store(true, Ordering::Relaxed);
    }
    let exact = EXACT.load(Ordering::Relaxed);
    if exact.wrapping_sub(ticked) < BEHIND { exact } else { ticked }
}

fn exact() -> u64 {
    let now = read();
    EXACT.fetch_max(now, Ordering::Relaxed);
    let (window, known) = (now >> WINDOW_BITS, WINDOW.load(Ordering::Relaxed));
    if known >> COUNT_BITS != window {
        WINDOW.store(window << COUNT_BITS, Ordering::Relaxed);
    } else {
        WINDOW.store(known + 1, Ordering::Relaxed);
        if known & ((1 << COUNT_BITS) - 1) == BURST {
            TICKER.iter().for_each(Thread::unpark);
        }
    }
    now
}

fn read() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn tick() {
    loop {
        thread::park();
        loop {
            TICKED.store(read(), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
            if !USED.swap(false, Ordering::Relaxed) {
                TICKED.store(0, Ordering::Relaxed);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_given_one_time_and_what_comes_after_it_the_exact_one() {
        let start = read();
        let mut last = start;
        let mut same = 0_u32;
        while same < 1_000 {
            let next = now();
            assert!(next >= last, "time goes on");
            same = if next == last { same + 1 } else { 0 };
            last = next;
        }
        while TICKED.load(Ordering::Relaxed) != 0 {
            thread::yield_now();
        }
        assert!(now() >= last);
    }
}
