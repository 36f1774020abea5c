//! What the kernel knows of one plugin.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use midplane_contract::manifest::Dependency;
use midplane_contract::{Code, Error, HealthStatus, PluginId, Result, State};

use crate::bounds::Bounds;
use crate::catalog::Usage;
use crate::discover::Found;
use crate::inbox::Inbox;
use crate::lifecycle::{self, Event};
use crate::log::Log;
use crate::services::Offer;
use crate::slot::Slot;

/// One registered plugin.
pub(crate) struct Plugin {
    pub(crate) id: PluginId,
    pub(crate) slot: Slot,
    /// What it writes, of all its generations.
    pub(crate) log: Log,
    pub(crate) inbox: Arc<Inbox>,
    /// Held while the plugin is loaded, started, stopped, updated or unloaded: one such operation at a time.
    pub(crate) operations: async_lock::Mutex<()>,
    life: Mutex<Life>,
    /// Counts changes of any plugin of the kernel that decide who provides what.
    pub(crate) changes: Arc<AtomicU64>,
    /// Calls under way that came through an interface.
    pub(crate) serving: AtomicUsize,
}

/// The changing part of a plugin's record.
pub(crate) struct Life {
    pub(crate) state: State,
    pub(crate) cause: Option<Error>,
    /// Kept from being started for good, over hosts.
    pub(crate) disabled: bool,
    /// Kept from being started by the policy.
    pub(crate) barred: bool,
    pub(crate) stay: Stay,
    pub(crate) found: Found,
    /// Dependencies that were added to those of the manifest; they stand in `found` as well.
    pub(crate) added: Vec<Dependency>,
    /// Dependencies that its code says beside the manifest; they stand in `found` as well.
    pub(crate) declared: Vec<Dependency>,
    /// Where it comes from again on a reload.
    pub(crate) source: Source,
    pub(crate) registered_at: Timestamp,
    pub(crate) loaded_at: Option<Timestamp>,
    pub(crate) running_since: Option<Instant>,
    pub(crate) loads: u64,
    pub(crate) last_error: Option<Error>,
    /// What it said of itself when it was asked last, since it was started.
    pub(crate) health: Option<HealthStatus>,
    /// What it provides, once that was checked.
    pub(crate) offers: Arc<[Offer]>,
    /// What the catalog has of its use in this kernel.
    pub(crate) noted: Usage,
}

/// Whether a plugin stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// It is being installed: until that is done or undone nobody else takes it away.
    Coming,
    /// It is registered.
    Here,
    /// It is being taken away, or no longer registered: it is not loaded, and nothing is granted to it any longer.
    Leaving,
}

/// Where a plugin comes from.
pub(crate) enum Source {
    /// The path it was registered by; read again on reload.
    Path(PathBuf),
    /// From outside, by itself; as it came last.
    Guest(Box<Found>),
}

impl Life {
    /// Counts a generation that was loaded.
    pub(crate) fn count_load(&mut self) {
        self.loads += 1;
        self.loaded_at = Some(Timestamp::now());
    }
}

impl Plugin {
    pub(crate) fn new(id: PluginId, source: Source, found: Found, changes: Arc<AtomicU64>) -> Self {
        let life = Life {
            state: State::Registered,
            cause: None,
            disabled: false,
            barred: false,
            stay: Stay::Here,
            found,
            added: Vec::new(),
            declared: Vec::new(),
            source,
            registered_at: Timestamp::now(),
            loaded_at: None,
            running_since: None,
            loads: 0,
            last_error: None,
            health: None,
            offers: Arc::new([]),
            noted: Usage::default(),
        };
        let slot = Slot::new(id.clone());
        let inbox = Arc::new(Inbox::new(&slot.core));
        Self {
            slot,
            inbox,
            log: Log::new(id.clone()),
            id,
            operations: async_lock::Mutex::new(()),
            life: Mutex::new(life),
            changes,
            serving: AtomicUsize::new(0),
        }
    }

    /// Goes by these bounds from here on.
    pub(crate) fn heed(&self, bounds: &Bounds) {
        self.log.cut_at(bounds.line());
        self.inbox.resize(bounds.queue());
    }

    /// Lets it be taken away, by who asked first.
    ///
    /// # Errors
    /// `not_running` while it is being installed, or somebody else takes it away.
    pub(crate) fn leave(&self) -> Result<()> {
        let mut life = self.life();
        let (what, remedy) = match life.stay {
            Stay::Here => {
                life.stay = Stay::Leaving;
                return Ok(());
            }
            Stay::Coming => ("installed", "wait until that is done"),
            Stay::Leaving => ("taken away", "wait until it is gone"),
        };
        Err(Error::new(Code::NotRunning, format!("`{}` is being {what}", self.id)).remedy(remedy).plugin(&self.id))
    }

    /// Says that who provides what may be another matter from here on.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> State {
        self.life().state
    }

    /// Changes the state by the table, and keeps the times that go with it.
    ///
    /// # Errors
    /// A `state` error that says what the plugin is and what it was asked to do.
    pub(crate) fn advance(&self, event: Event) -> Result<State> {
        let mut life = self.life();
        let next = lifecycle::next(life.state, event).map_err(|illegal| self.illegal(illegal.state, event))?;
        life.state = next;
        match next {
            State::Running => {
                life.running_since.get_or_insert_with(Instant::now);
                life.cause = None;
            }
            State::Updating | State::Failed | State::Quarantined => {}
            State::Loaded => {
                life.count_load();
                life.running_since = None;
                life.offers = Arc::new([]);
            }
            State::Starting => life.health = None,
            _ => life.running_since = None,
        }
        drop(life);
        self.changed();
        Ok(next)
    }

    /// Marks the plugin as failed and keeps the cause. `false` when it had failed before.
    pub(crate) fn fail(&self, cause: &Error) -> bool {
        let mut life = self.life();
        if matches!(life.state, State::Failed | State::Quarantined) {
            return false;
        }
        life.state = lifecycle::next(life.state, Event::Fail).unwrap_or(State::Failed);
        life.running_since = None;
        life.cause = Some(cause.clone());
        life.last_error = Some(cause.clone());
        drop(life);
        self.changed();
        true
    }

    fn illegal(&self, state: State, event: Event) -> Error {
        let (code, remedy) = match (state, event) {
            (State::Registered | State::Discovered | State::Resolved, _) => (Code::NotLoaded, "load it first"),
            (State::Loaded | State::Stopped, Event::Resolve | Event::Load) => (Code::AlreadyLoaded, "start it"),
            (State::Running, Event::Resolve | Event::Load | Event::Start) => (Code::AlreadyLoaded, "it runs already"),
            (State::Loaded | State::Stopped, Event::Stop) => (Code::NotRunning, "it does not run; start it first"),
            (State::Running, _) => (Code::AlreadyLoaded, "stop it first"),
            _ => (Code::NotRunning, "wait until it has settled, or restart it"),
        };
        Error::new(code, format!("`{}` is {state} and cannot {}", self.id, verb(event))).remedy(remedy).plugin(&self.id)
    }
}

fn verb(event: Event) -> &'static str {
    match event {
        Event::Register | Event::Unloaded => "be registered",
        Event::Resolve | Event::Load | Event::Initialized => "be loaded",
        Event::Postpone => "be postponed",
        Event::Start | Event::Started => "be started",
        Event::Stop | Event::Stopped => "be stopped",
        Event::Update | Event::Updated => "be updated",
        Event::Unload => "be unloaded",
        Event::Lost => "be left",
        Event::Fail => "fail",
        Event::Quarantine => "be quarantined",
        Event::Release => "be released",
    }
}
