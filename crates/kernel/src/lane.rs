//! A lane: the place of one instance, used by one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use spin::mutex::SpinMutex;

use crate::call::Scope;
use crate::runtime::Instance;

/// The place of one instance.
///
/// CONCURRENCY: nobody ever spins on the seat while a call runs. Callers only `try_lock` it; a call on the caller's own
/// thread holds the lock to its end and says so in `calling`; every other call takes the instance out and leaves
/// [`Occupant::Away`]. `lock` is used only to put an instance back, where the lock can be held no longer than a look
/// takes.
///
/// Whoever waits in the queue must not mistake somebody's short look for a call, whose end would wake it: a look wakes
/// nobody. So a look waits for other looks to end, and is refused by calls alone. See [`Lane::look`].
pub(crate) struct Lane {
    pub(crate) seat: SpinMutex<Seat>,
    /// A call holds the seat. Written by the holder only.
    pub(crate) calling: AtomicBool,
    pub(crate) counts: Counts,
}

/// What stands in a lane, with what a call needs to know beside it.
pub(crate) struct Seat {
    pub(crate) occupant: Occupant,
    /// The number of the generation that the lane belongs to.
    pub(crate) generation: u64,
    /// The action table of the generation that the lane belongs to.
    pub(crate) actions: Arc<[ActionEntry]>,
    pub(crate) payload: usize,
}

/// Who sits in a lane.
pub(crate) enum Occupant {
    /// Nobody; the lane is not in use.
    Closed,
    /// Nobody; an instance is made when one is needed.
    Vacant,
    /// An instance is being made.
    Building,
    /// An instance that takes calls.
    Idle(Box<dyn Instance>),
    /// An instance that takes none: the plugin is loaded or stopped.
    Parked(Box<dyn Instance>),
    /// Its instance is out on a call or hook, and comes back.
    Away,
}

/// How one action of the slot is called in one generation.
#[derive(Debug, Clone)]
pub(crate) struct ActionEntry {
    /// The position in the code's own list; `None` where this generation has no such action.
    pub(crate) code: Option<u32>,
    /// The longest a call may take.
    pub(crate) time: Duration,
    /// The scope of a call without options, made once.
    pub(crate) scope: Scope,
    /// Whether it may call on. What it calls has only the time that is left, so its own end must be an instant, which
    /// costs a look at the clock.
    pub(crate) nests: bool,
}

impl Default for Lane {
    fn default() -> Self {
        let seat = Seat { occupant: Occupant::Closed, generation: 0, actions: Arc::new([]), payload: 0 };
        Self { seat: SpinMutex::new(seat), calling: AtomicBool::new(false), counts: Counts::default() }
    }
}

impl Lane {
    /// Looks at the seat for a moment; `None` while a call holds it, whose end wakes those who wait.
    ///
    /// CONCURRENCY: `calling` is read after the lock was found taken. If it is set, its call ends after this look began,
    /// and looks for waiters after that: none is missed. If it is not set, the holder is a look, or a call about to say
    /// so, and trying again takes no longer than that.
    pub(crate) fn look<T>(&self, act: impl FnOnce(&mut Seat) -> T) -> Option<T> {
        for round in 0_u32.. {
            if let Some(mut seat) = self.seat.try_lock() {
                return Some(act(&mut seat));
            }
            if self.calling.load(Ordering::Relaxed) {
                return None;
            }
            // The holder may wait for this very processor.
            if round < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        None
    }

    /// Takes the instance out for a call, if it is there and takes calls.
    pub(crate) fn take_idle(&self) -> Option<Box<dyn Instance>> {
        let take = |seat: &mut Seat| match std::mem::replace(&mut seat.occupant, Occupant::Away) {
            Occupant::Idle(instance) => Some(instance),
            other => {
                seat.occupant = other;
                None
            }
        };
        self.look(take).flatten()
    }

    /// Puts something in. Whoever calls this owns the place: it is `Away` or `Building`.
    pub(crate) fn put(&self, occupant: Occupant) {
        self.seat.lock().occupant = occupant;
    }

    /// Prepares the lane for a generation.
    pub(crate) fn open(&self, seat: Seat) {
        *self.seat.lock() = seat;
    }

    /// If nobody sits here, marks that somebody is being made. The generation is that of whoever asks: it may have come
    /// to this place long ago, and the place may have changed hands since.
    pub(crate) fn begin_building(&self, generation: u64) -> bool {
        let begin = |seat: &mut Seat| {
            let vacant = matches!(seat.occupant, Occupant::Vacant) && seat.generation == generation;
            if vacant {
                seat.occupant = Occupant::Building;
            }
            vacant
        };
        self.look(begin).unwrap_or(false)
    }
}

/// Rounds that a look spins before it lets others run.
const SPINS: u32 = 100;

/// Exact counts of a lane; only whoever holds the lane writes them, so plain stores do.
#[derive(Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    errors: AtomicU64,
    sampled: AtomicU64,
    sampled_nanos: AtomicU64,
    longest_nanos: AtomicU64,
    latest_millis: AtomicU64,
}

/// Every so many calls on the caller's own thread one is timed; calls through futures are all timed.
pub(crate) const SAMPLE_EVERY: u64 = 256;

fn add(counter: &AtomicU64, value: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(value), Ordering::Relaxed);
}

impl Counts {
    /// Counts a call and says whether it is one to time.
    #[inline]
    pub(crate) fn call(&self) -> bool {
        let before = self.calls.load(Ordering::Relaxed);
        self.calls.store(before.wrapping_add(1), Ordering::Relaxed);
        before.is_multiple_of(SAMPLE_EVERY)
    }

    #[cold]
    pub(crate) fn error(&self) {
        add(&self.errors, 1);
    }

    #[cold]
    pub(crate) fn duration(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        add(&self.sampled, 1);
        add(&self.sampled_nanos, nanos);
        self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
        let now = jiff::Timestamp::now().as_millisecond();
        self.latest_millis.store(u64::try_from(now).unwrap_or(0), Ordering::Relaxed);
    }

    /// Adds this lane's counts to a total.
    pub(crate) fn add_to(&self, total: &mut CallCounts) {
        total.calls += self.calls.load(Ordering::Relaxed);
        total.errors += self.errors.load(Ordering::Relaxed);
        total.timed += self.sampled.load(Ordering::Relaxed);
        total.timed_nanos += self.sampled_nanos.load(Ordering::Relaxed);
        total.longest_nanos = total.longest_nanos.max(self.longest_nanos.load(Ordering::Relaxed));
        total.latest_millis = total.latest_millis.max(self.latest_millis.load(Ordering::Relaxed));
    }
}

/// Counts of calls, added up over lanes and generations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CallCounts {
    /// Calls that reached an instance; exact.
    pub calls: u64,
    /// Those that ended in an error; exact.
    pub errors: u64,
    /// Those that were timed: one in 256 on the caller's own thread, all others.
    pub timed: u64,
    /// Nanoseconds that the timed ones took together.
    pub timed_nanos: u64,
    /// Nanoseconds of the longest timed one.
    pub longest_nanos: u64,
    /// When the latest timed one ended, in milliseconds since 1970; 0 before the first.
    pub latest_millis: u64,
}
