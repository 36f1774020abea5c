//! A berth: where one generation lies while it serves. A slot has a few of them, so that the next generation can be
//! made ready, and the last one end its calls, beside the one in use.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::generation::Generation;
use crate::lane::{ActionEntry, CallCounts, Lane, Occupant, Seat};
use crate::queue::Queue;
use crate::runtime::{Condition, Instance};

/// The place of one generation. Berths are reused and never freed while their slot lives: callers may look at one at
/// any time without a guard.
#[derive(Default)]
pub(crate) struct Berth {
    /// An actor's only lane, and a pool's first, stands in the berth itself: one pointer less on the way to it.
    pub(crate) first: Lane,
    pub(crate) queue: Queue,
    /// Held while the generation that lies here is ended.
    pub(crate) ending: async_lock::Mutex<()>,
    in_use: AtomicBool,
    generation: RwLock<Option<Arc<Generation>>>,
    more: RwLock<Arc<[Lane]>>,
    /// Counts of lanes that went with their generation.
    retired: Mutex<CallCounts>,
}

impl Berth {
    /// Claims the berth for a generation that is about to come.
    pub(crate) fn claim(&self) -> bool {
        !self.in_use.swap(true, Ordering::SeqCst)
    }

    /// Gives it back. Every lane must be closed.
    pub(crate) fn release(&self) {
        *self.generation.write().unwrap_or_else(PoisonError::into_inner) = None;
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        self.more().iter().for_each(|lane| lane.counts.add_to(&mut retired));
        *self.more.write().unwrap_or_else(PoisonError::into_inner) = Arc::new([]);
        self.in_use.store(false, Ordering::SeqCst);
    }

    /// Lays a generation into a claimed berth, its instances idle (they take calls) or parked.
    pub(crate) fn lay(
        &self,
        generation: Arc<Generation>,
        actions: &Arc<[ActionEntry]>,
        instances: impl IntoIterator<Item = Occupant>,
    ) {
        let lanes = generation.instances.max.max(1) as usize;
        let payload = generation.payload;
        let mut instances = instances.into_iter();
        let number = generation.number;
        let mut next = || Seat {
            occupant: instances.next().unwrap_or(Occupant::Vacant),
            generation: number,
            actions: Arc::clone(actions),
            payload,
        };
        let first = next();
        let more: Arc<[Lane]> = (1..lanes).map(|_| Lane::default()).collect();
        more.iter().for_each(|lane| lane.open(next()));
        // Lanes come last: a caller that was on its way to this berth long ago may take one as soon as it is open.
        *self.generation.write().unwrap_or_else(PoisonError::into_inner) = Some(generation);
        *self.more.write().unwrap_or_else(PoisonError::into_inner) = more;
        self.first.open(first);
    }

    /// Lets go of waiting instances that are good for nothing any more. Their lanes are closed until [`Berth::reopen`].
    pub(crate) fn sweep_lost(&self) {
        for number in 0..self.lanes() {
            let sweep = |seat: &mut Seat| match &seat.occupant {
                Occupant::Idle(instance) | Occupant::Parked(instance)
                    if matches!(instance.condition(), Condition::Dead(_) | Condition::Spent(_)) =>
                {
                    Some(std::mem::replace(&mut seat.occupant, Occupant::Closed))
                }
                _ => None,
            };
            // Dropping an instance may take its time: after the look, not in it.
            drop(self.with_lane(number, |lane| lane.look(sweep)));
        }
    }

    /// Lets other instances be made in the lanes of those that have died, since their generation goes on without them.
    pub(crate) fn reopen(&self, generation: u64) {
        for number in 0..self.lanes() {
            let reopen = |seat: &mut Seat| {
                let died = matches!(seat.occupant, Occupant::Closed) && seat.generation == generation;
                if died {
                    seat.occupant = Occupant::Vacant;
                }
                died
            };
            if self.with_lane(number, |lane| lane.look(reopen)).flatten() == Some(true) {
                self.queue.lane_freed();
            }
        }
    }

    /// The generation that lies here.
    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        self.generation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lanes after the first.
    pub(crate) fn more(&self) -> Arc<[Lane]> {
        Arc::clone(&self.more.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many lanes there are.
    pub(crate) fn lanes(&self) -> usize {
        1 + self.more.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Does something with a lane, if there is one of that number.
    pub(crate) fn with_lane<T>(&self, number: usize, act: impl FnOnce(&Lane) -> T) -> Option<T> {
        match number.checked_sub(1) {
            None => Some(act(&self.first)),
            Some(index) => self.more().get(index).map(act),
        }
    }

    /// Takes an idle instance out, with the number of its lane.
    pub(crate) fn take_idle(&self) -> Option<(usize, Box<dyn Instance>)> {
        if let Some(instance) = self.first.take_idle() {
            return Some((0, instance));
        }
        (1..).zip(self.more().iter()).find_map(|(number, lane)| Some((number, lane.take_idle()?)))
    }

    /// Finds a lane of a generation without an instance and marks that one is being made for it.
    pub(crate) fn begin_building(&self, generation: u64) -> Option<usize> {
        if self.first.begin_building(generation) {
            return Some(0);
        }
        (1..).zip(self.more().iter()).find_map(|(number, lane)| lane.begin_building(generation).then_some(number))
    }

    /// How many instances are being made.
    pub(crate) fn building(&self) -> usize {
        let builds = |seat: &mut Seat| matches!(seat.occupant, Occupant::Building);
        let building = |lane: &Lane| lane.look(builds).unwrap_or(false);
        usize::from(building(&self.first)) + self.more().iter().filter(|lane| building(lane)).count()
    }

    /// Whether any lane has, or is getting, an instance.
    pub(crate) fn is_populated(&self) -> bool {
        let empty = |seat: &mut Seat| matches!(seat.occupant, Occupant::Closed | Occupant::Vacant);
        let occupied = |lane: &Lane| !lane.look(empty).unwrap_or(false);
        occupied(&self.first) || self.more().iter().any(occupied)
    }

    /// Counts over all lanes.
    pub(crate) fn counts(&self) -> CallCounts {
        // Held to the end: a generation that goes in between moves its lanes' counts.
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = *retired;
        self.first.counts.add_to(&mut total);
        self.more().iter().for_each(|lane| lane.counts.add_to(&mut total));
        total
    }

    /// Memory of the instances that are not on a call just now, in bytes; `None` where none can tell.
    pub(crate) fn memory(&self) -> Option<u64> {
        let used = |seat: &mut Seat| match &seat.occupant {
            Occupant::Idle(instance) | Occupant::Parked(instance) => instance.memory(),
            Occupant::Closed | Occupant::Vacant | Occupant::Building | Occupant::Away => None,
        };
        let of = |lane: &Lane| lane.look(used).flatten();
        let more = self.more();
        std::iter::once(&self.first).chain(more.iter()).filter_map(of).reduce(|a, b| a.saturating_add(b))
    }
}
