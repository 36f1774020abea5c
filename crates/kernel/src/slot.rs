//! A slot: the stable place a plugin is plugged into. Callers hold slots, never instances.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use midplane_contract::{ActionName, Code, Error, PluginId, Result};

use crate::action::Action;
use crate::berth::Berth;
use crate::call::Scope;
use crate::generation::Generation;
use crate::lane::{ActionEntry, CallCounts};

/// Generations that can be in one slot at once: the one in use, the next one, and two that still end their calls.
const BERTHS: usize = 4;

/// Names that callers may bring to one slot, whatever its code has.
const NAMES: usize = 4096;

/// The stable place of one plugin. Cheap to clone, never stale: a call through it reaches the current generation or
/// returns an error that says why there is none.
#[derive(Clone)]
pub struct Slot {
    pub(crate) core: Arc<Core>,
}

impl Slot {
    pub(crate) fn new(id: PluginId) -> Self {
        let core = Core {
            id,
            current: AtomicUsize::new(0),
            berths: Default::default(),
            names: Mutex::default(),
            closed: RwLock::new(None),
            watch: OnceLock::new(),
            last_error: Mutex::default(),
        };
        core.close(Error::new(Code::NotLoaded, "the plugin is not loaded").remedy("load it first"));
        Self { core: Arc::new(core) }
    }

    /// The plugin's id.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.core.id
    }

    /// A handle for one action. Resolving happens here, once: keep the handle where many calls are made.
    ///
    /// The handle outlives updates. If the generation of the moment has no such action, calls fail with
    /// `action_not_found`; one that is resolved after 4,096 others of this slot, and that no generation has had, keeps
    /// failing so.
    ///
    /// # Errors
    /// `invalid_input` when the name cannot be an action's.
    pub fn action(&self, name: &str) -> Result<Action> {
        let name = ActionName::new(name)
            .map_err(|error| Error::new(Code::InvalidInput, error.to_string()).plugin(&self.core.id))?;
        let number = self.core.intern(&name, NAMES);
        Ok(Action::new(Arc::clone(&self.core), name, number))
    }

    /// Exact counts of all calls that this slot has seen.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        self.core.berths.iter().fold(CallCounts::default(), |total, berth| total.plus(berth.counts()))
    }

    /// Calls that wait for an instance.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.core.berths.iter().map(|berth| berth.queue.len()).sum()
    }
}

/// What a slot is made of. Its room sees it whole.
pub(crate) struct Core {
    pub(crate) id: PluginId,
    current: AtomicUsize,
    berths: [Berth; BERTHS],
    /// Action names by number; a name keeps its number for the life of the slot.
    names: Mutex<Vec<ActionName>>,
    /// Why callers are refused; `None` while they are not.
    closed: RwLock<Option<Error>>,
    /// Told when an instance died, with the number of its generation.
    pub(crate) watch: OnceLock<Box<dyn Fn(u64, Error) + Send + Sync>>,
    /// The latest error of a call.
    last_error: Mutex<Option<Error>>,
}

impl Core {
    /// The berth in use.
    #[inline]
    pub(crate) fn berth(&self) -> &Berth {
        self.berth_at(self.current())
    }

    /// The number of the berth in use.
    #[inline]
    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn berth_at(&self, number: usize) -> &Berth {
        let [first, ..] = &self.berths;
        self.berths.get(number).unwrap_or(first)
    }

    /// The generation in use, if any is loaded.
    pub(crate) fn generation(&self) -> Option<Arc<Generation>> {
        self.berth().generation()
    }

    /// Claims a berth for a next generation.
    pub(crate) fn claim(&self) -> Result<usize> {
        let free = self.berths.iter().position(Berth::claim);
        free.ok_or_else(|| {
            Error::new(Code::Overloaded, "earlier generations of this plugin still end their calls")
                .plugin(&self.id)
                .remedy("wait until their calls have ended, or give them shorter deadlines")
        })
    }

    /// Makes a berth the one in use and returns the number of the one before. Whoever waited there comes along.
    pub(crate) fn switch(&self, berth: usize) -> usize {
        let before = self.current.swap(berth, Ordering::SeqCst);
        self.berth_at(before).queue.wake_all();
        before
    }

    /// Lets callers in.
    pub(crate) fn open(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.berth().queue.wake_all();
    }

    /// Refuses callers from here on, those that wait included.
    pub(crate) fn close(&self, why: Error) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.berths.iter().for_each(|berth| berth.queue.wake_all());
    }

    /// Why callers are refused, if they are.
    pub(crate) fn refusal(&self) -> Result<()> {
        match &*self.closed.read().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(why) => Err(Error::clone(why).plugin(&self.id)),
        }
    }

    /// Completes the error of a call and keeps it as the latest.
    #[cold]
    pub(crate) fn failed(&self, error: Error, generation: Option<&Arc<Generation>>, action: &ActionName) -> Error {
        let error = error.action(action).plugin(&self.id);
        let error = match generation {
            Some(generation) => generation.sign(error),
            None => error,
        };
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        error
    }

    /// The latest error of a call.
    pub(crate) fn last_error(&self) -> Option<Error> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of a name; given out on first use. One that is asked for when there are many of them already has a
    /// number that nothing answers to.
    fn intern(&self, name: &ActionName, most: usize) -> u32 {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.iter().position(|known| known == name);
        let number = known.or_else(|| {
            let room = names.len() < most;
            room.then(|| {
                names.push(name.clone());
                names.len() - 1
            })
        });
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX)
    }

    /// The table of a generation: what each number of this slot means to its code.
    pub(crate) fn table(&self, generation: &Generation) -> Arc<[ActionEntry]> {
        generation.actions().for_each(|(_, name)| {
            self.intern(name, usize::MAX);
        });
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let code = |name: &ActionName| generation.actions().find(|(_, own)| *own == name).map(|(number, _)| number);
        let nests = generation.may_wait_for_others();
        let entry = |name: ActionName| {
            let time = if generation.offers(&name) { generation.call_time(&name) } else { Duration::ZERO };
            ActionEntry { code: code(&name), time, scope: Scope::within(time), nests }
        };
        names.into_iter().map(entry).collect()
    }
}

impl CallCounts {
    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            errors: self.errors + other.errors,
            timed: self.timed + other.timed,
            timed_nanos: self.timed_nanos + other.timed_nanos,
            longest_nanos: self.longest_nanos.max(other.longest_nanos),
            latest_millis: self.latest_millis.max(other.latest_millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_answers_to_do_not_pile_up() {
        let slot = Slot::new(PluginId::new("p").unwrap());
        let known = slot.core.intern(&ActionName::new("echo").unwrap(), NAMES);
        for number in 0..2 * NAMES {
            slot.action(&format!("no{number}")).unwrap();
        }
        assert_eq!(slot.core.names.lock().unwrap().len(), NAMES);
        assert_eq!(slot.core.intern(&ActionName::new("echo").unwrap(), NAMES), known);
        // What code has is known all the same.
        assert_eq!(slot.core.intern(&ActionName::new("late").unwrap(), usize::MAX) as usize, NAMES);
    }
}
