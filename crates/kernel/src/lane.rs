//! A lane: the place of one instance, used by one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use spin::mutex::SpinMutex;

use crate::call::Scope;
use crate::queue::Queue;
use crate::runtime::Instance;

/// The place of one instance.
///
/// CONCURRENCY: nobody ever spins on the seat while a call runs. Callers only `try_lock` it; a call on the caller's own
/// thread holds the lock to its end, every other call takes the instance out and leaves [`Occupant::Away`]. `lock` is
/// used only to put an instance back, where the lock can be held no longer than a look takes.
pub(crate) struct Lane {
    pub(crate) seat: SpinMutex<Seat>,
    pub(crate) counts: Counts,
}

/// What stands in a lane, with what a call needs to know beside it.
pub(crate) struct Seat {
    pub(crate) occupant: Occupant,
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
}

impl Default for Lane {
    fn default() -> Self {
        let seat = Seat { occupant: Occupant::Closed, actions: Arc::new([]), payload: 0 };
        Self { seat: SpinMutex::new(seat), counts: Counts::default() }
    }
}

impl Lane {
    /// Looks at the seat for a moment, if no call holds it.
    ///
    /// CONCURRENCY: a caller whose `try_lock` fails because of such a look goes to the queue, and the look is no call
    /// whose end would wake it. So whoever leaves an idle instance behind wakes the queue.
    pub(crate) fn look<T>(&self, queue: &Queue, act: impl FnOnce(&mut Seat) -> T) -> Option<T> {
        let mut seat = self.seat.try_lock()?;
        let result = act(&mut seat);
        let idle = matches!(seat.occupant, Occupant::Idle(_));
        drop(seat);
        if idle {
            queue.lane_freed();
        }
        Some(result)
    }

    /// Takes the instance out for a call, if it is there and takes calls.
    pub(crate) fn take_idle(&self, queue: &Queue) -> Option<Box<dyn Instance>> {
        let take = |seat: &mut Seat| match std::mem::replace(&mut seat.occupant, Occupant::Away) {
            Occupant::Idle(instance) => Some(instance),
            other => {
                seat.occupant = other;
                None
            }
        };
        self.look(queue, take).flatten()
    }

    /// Puts something in. Whoever calls this owns the place: it is `Away` or `Building`.
    pub(crate) fn put(&self, occupant: Occupant) {
        self.seat.lock().occupant = occupant;
    }

    /// Prepares the lane for a generation.
    pub(crate) fn open(&self, occupant: Occupant, actions: Arc<[ActionEntry]>, payload: usize) {
        *self.seat.lock() = Seat { occupant, actions, payload };
    }

    /// If nobody sits here, marks that somebody is being made.
    pub(crate) fn begin_building(&self, queue: &Queue) -> bool {
        let begin = |seat: &mut Seat| {
            let vacant = matches!(seat.occupant, Occupant::Vacant);
            if vacant {
                seat.occupant = Occupant::Building;
            }
            vacant
        };
        self.look(queue, begin).unwrap_or(false)
    }
}

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
