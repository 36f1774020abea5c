//! Work between calls: one thread knows which instance's timers are due when; threads of the pool run them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use midplane_contract::defaults;

use crate::engine::Engine;

/// The longest that one turn of work between calls may take, with everything that it begins.
const TURN: Duration = defaults::HOOK_DEADLINE;

/// Sees to it that an instance's timers run when they are due. Costs next to nothing where there are none.
#[inline]
pub(crate) fn schedule(engine: &Arc<Engine>) {
    if let Some(due) = engine.inside.timers.next() {
        appoint(engine, due);
    }
}

#[cold]
fn appoint(engine: &Arc<Engine>, due: Instant) {
    if engine.inside.appointment.sooner(due) {
        driver().add(Appointment { due, engine: Arc::downgrade(engine) });
    }
}

/// When an instance is to be looked at next: keeps one instance from filling the list.
#[derive(Debug, Default)]
pub(crate) struct Next(Mutex<Option<Instant>>);

impl Next {
    /// Whether this is sooner than what is appointed; it is appointed then.
    fn sooner(&self, due: Instant) -> bool {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sooner = next.is_none_or(|next| due < next);
        if sooner {
            *next = Some(due);
        }
        sooner
    }

    /// The appointment has come; a later one of the same instance was made in vain.
    fn come(&self, due: Instant) -> bool {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_this = *next == Some(due);
        if is_this {
            *next = None;
        }
        is_this
    }
}

struct Appointment {
    due: Instant,
    engine: Weak<Engine>,
}

impl PartialEq for Appointment {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Appointment {}

impl PartialOrd for Appointment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Appointment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// The list of appointments and the thread that keeps them. There is one for the process, from the first timer on; with
/// nothing on its list it sleeps.
#[derive(Default)]
struct Driver {
    list: Mutex<BinaryHeap<Reverse<Appointment>>>,
    changed: Condvar,
}

fn driver() -> &'static Driver {
    static DRIVER: OnceLock<&'static Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let driver: &'static Driver = Box::leak(Box::default());
        let spawned = std::thread::Builder::new().name("midplane-js-timer".to_owned()).spawn(|| driver.run());
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for JavaScript timers: they run only while something is called");
        }
        driver
    })
}

impl Driver {
    fn add(&self, appointment: Appointment) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(appointment));
        self.changed.notify_one();
    }

    fn run(&self) {
        loop {
            let due = self.next();
            let Some(engine) = due.engine.upgrade() else { continue };
            if engine.inside.appointment.come(due.due) {
                // A plugin's code may take its time: never on the thread that others wait for.
                blocking::unblock(move || engine.work(TURN)).detach();
            }
        }
    }

    /// Waits for the next one that is due.
    fn next(&self) -> Appointment {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = list.peek().map(|Reverse(first)| first.due.saturating_duration_since(Instant::now()));
            match left {
                Some(Duration::ZERO) => {
                    if let Some(Reverse(first)) = list.pop() {
                        return first;
                    }
                }
                Some(left) => {
                    list = self.changed.wait_timeout(list, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => list = self.changed.wait(list).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
