//! A turn: an instance taken out of its lane for one call or hook, and how callers come by one.

use std::sync::Arc;

use midplane_contract::{Code, Error, Result};

use crate::berth::Berth;
use crate::generation::Generation;
use crate::lane::{Occupant, Seat};
use crate::queue::Side;
use crate::runtime::{Condition, Instance};
use crate::slot::Core;

/// An instance that is out of its lane. Dropping it puts the instance back, or what its condition calls for.
pub(crate) struct Turn {
    core: Arc<Core>,
    berth: usize,
    lane: usize,
    instance: Option<Box<dyn Instance>>,
    leave: Leave,
    /// The lane has been left already.
    left: bool,
}

/// What an instance becomes again in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Idle, unless callers are refused by now: then parked. A call may outlive the stop of its plugin.
    AsItIs,
    /// Idle.
    Idle,
    /// Parked.
    Parked,
}

impl Turn {
    pub(crate) fn new(core: &Arc<Core>, berth: usize, lane: usize, instance: Box<dyn Instance>, leave: Leave) -> Self {
        Self { core: Arc::clone(core), berth, lane, instance: Some(instance), leave, left: false }
    }

    /// The instance.
    pub(crate) fn instance(&mut self) -> Result<&mut Box<dyn Instance>> {
        self.instance.as_mut().ok_or_else(|| Error::new(Code::Internal, "a turn without an instance"))
    }

    /// Takes the instance out of the turn, to be given back with [`Turn::give`]; without that its lane is left vacant.
    pub(crate) fn take(&mut self) -> Option<Box<dyn Instance>> {
        self.instance.take()
    }

    /// Gives an instance (back) to the lane.
    pub(crate) fn give(&mut self, instance: Option<Box<dyn Instance>>) {
        self.instance = instance;
    }

    /// Ends the turn with the lane closed, and returns the instance.
    pub(crate) fn close(mut self) -> Option<Box<dyn Instance>> {
        self.left = true;
        self.berth().with_lane(self.lane, |lane| lane.put(Occupant::Closed));
        self.instance.take()
    }

    /// Does something with the lane's counts.
    pub(crate) fn counts<T>(&self, act: impl FnOnce(&crate::lane::Counts) -> T) -> Option<T> {
        self.berth().with_lane(self.lane, |lane| act(&lane.counts))
    }

    /// What the generation's code calls the slot's action of this number.
    pub(crate) fn action(&self, number: u32) -> Option<u32> {
        let find = |lane: &crate::lane::Lane| lane.seat.lock().actions.get(number as usize)?.code;
        self.berth().with_lane(self.lane, find).flatten()
    }

    /// The generation that the instance belongs to.
    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        self.berth().generation()
    }

    /// Says what the instance becomes in its lane once it is back.
    pub(crate) fn will_leave(&mut self, leave: Leave) {
        self.leave = leave;
    }

    fn parks(&self) -> bool {
        match self.leave {
            Leave::AsItIs => self.core.refusal().is_err(),
            Leave::Idle => false,
            Leave::Parked => true,
        }
    }

    /// The slot it belongs to.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn berth(&self) -> &Berth {
        self.core.berth_at(self.berth)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let instance = self.instance.take().map(|instance| (instance.condition(), instance));
        let (occupant, gone, dead) = match instance {
            None => (Occupant::Vacant, None, None),
            Some((Condition::Ready, instance)) if self.parks() => (Occupant::Parked(instance), None, None),
            Some((Condition::Ready, instance)) => (Occupant::Idle(instance), None, None),
            Some((Condition::Settling, instance)) => return self.settle(instance),
            Some((Condition::Spent(_), instance)) => (Occupant::Vacant, Some(instance), None),
            // Closed until it is known what the death means: nobody may make another instance before that.
            Some((Condition::Dead(cause), instance)) => (Occupant::Closed, Some(instance), Some(cause)),
        };
        let number = self.generation().map(|generation| generation.number);
        self.berth().with_lane(self.lane, |lane| lane.put(occupant));
        if let (Some(cause), Some(number), Some(watch)) = (dead, number, self.core.watch.get()) {
            watch(number, cause);
        }
        self.berth().queue.lane_freed();
        if let Some(gone) = gone {
            // Taking leave of a process takes its time: never on an executor's thread.
            blocking::unblock(move || drop(gone)).detach();
        }
    }
}

impl Turn {
    /// Leaves the lane later: when a call that was given up has ended.
    fn settle(&self, mut instance: Box<dyn Instance>) {
        let (core, berth, lane, leave) = (Arc::clone(&self.core), self.berth, self.lane, self.leave);
        blocking::unblock(move || {
            instance.settle();
            drop(Self::new(&core, berth, lane, instance, leave));
        })
        .detach();
    }
}

/// Waits for a turn on the current generation, first come, first served.
///
/// # Errors
/// `overloaded` when too many wait already; otherwise why the plugin takes no calls.
pub(crate) async fn acquire(core: &Arc<Core>) -> Result<Turn> {
    acquire_behind(core, None).await
}

/// [`acquire`] behind at most so many others; `None` is what the plugin's own limit says.
pub(crate) async fn acquire_behind(core: &Arc<Core>, most: Option<usize>) -> Result<Turn> {
    loop {
        let number = core.current();
        let berth = core.berth_at(number);
        if berth.queue.is_empty()
            && let Some((lane, instance)) = berth.take_idle()
        {
            return Ok(Turn::new(core, number, lane, instance, Leave::AsItIs));
        }
        core.refusal()?;
        let Some(generation) = berth.generation() else {
            if core.current() == number {
                return Err(Error::new(Code::NotLoaded, "the plugin is not loaded").plugin(&core.id));
            }
            continue;
        };
        let ticket = berth.queue.join(Side::Back, most.unwrap_or(generation.queue)).map_err(|_| {
            generation.sign(
                Error::new(Code::Overloaded, format!("{} calls wait for this plugin already", generation.queue))
                    .remedy("call less at once, raise limits.queue, or make the plugin a pool")
                    .with("limit", generation.queue as u64),
            )
        })?;
        while core.current() == number {
            core.refusal()?;
            if ticket.may_take(berth.lanes())
                && let Some((lane, instance)) = berth.take_idle()
            {
                return Ok(Turn::new(core, number, lane, instance, Leave::AsItIs));
            }
            // One more instance for each who waits, not for each time somebody looks. Whoever came last may have taken
            // what was made for another, who looks again then: so it counts how many are under way, not who asked.
            if (berth.building() < berth.queue.len() || !berth.is_populated())
                && let Some(lane) = berth.begin_building(generation.number)
            {
                crate::build::begin(core, &generation, number, lane);
            }
            ticket.woken().await;
        }
    }
}

/// Waits for the instance of one lane, before all callers. `None` when the lane has none.
pub(crate) async fn claim_lane(core: &Arc<Core>, berth_number: usize, lane_number: usize) -> Option<Turn> {
    let berth = core.berth_at(berth_number);
    let Ok(ticket) = berth.queue.join(Side::Front, usize::MAX) else { return None };
    let mut woken = false;
    loop {
        let taken = berth.with_lane(lane_number, |lane| {
            let claim = |seat: &mut Seat| match std::mem::replace(&mut seat.occupant, Occupant::Away) {
                Occupant::Idle(instance) | Occupant::Parked(instance) => Some(Some(instance)),
                empty @ (Occupant::Vacant | Occupant::Closed) => {
                    seat.occupant = empty;
                    Some(None)
                }
                busy @ (Occupant::Away | Occupant::Building) => {
                    seat.occupant = busy;
                    None
                }
            };
            lane.look(claim).flatten()
        })?;
        if woken && taken.is_none() {
            // It was another lane that became free.
            ticket.pass_on();
        }
        match taken {
            Some(Some(instance)) => return Some(Turn::new(core, berth_number, lane_number, instance, Leave::Parked)),
            Some(None) => return None,
            None => {
                ticket.woken().await;
                woken = true;
            }
        }
    }
}
