//! Hooks: run on threads that may block, each within its own time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Hook, Kind, Result};

use crate::alarm::{self, until};
use crate::call::{Deadline, Scope};
use crate::runtime::{BoxFuture, Instance, Interrupt};
use crate::tasks;

/// How long an instance that was told to stop its hook may take to do so before it is abandoned.
const GRACE: Duration = Duration::from_millis(500);

/// Does work that may block, hooks among it, on one thread: handing work from thread to thread and back costs as much as
/// everything else about a small plugin's load. Each hook of the work has so much time.
///
/// # Errors
/// `deadline_exceeded` when a hook neither ends in its time nor lets itself be interrupted. Thread and work are left
/// alone then: the thread lives on until the hook returns, and whatever the work holds is dropped there.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce(&Hooks) -> T + Send + 'static,
) -> Result<T> {
    on_a_thread_before(None, time, work).await
}

/// The same for work that opens code, all of which is to be done before an instant: see [`Hooks::open`].
///
/// # Errors
/// As [`on_a_thread`].
pub(crate) async fn on_a_thread_before<T: Send + 'static>(
    late: Option<Instant>,
    time: Duration,
    work: impl FnOnce(&Hooks) -> T + Send + 'static,
) -> Result<T> {
    let hooks = Hooks::new(late, time);
    if late.is_some() {
        alarm::rehearse().await;
    }
    let theirs = Arc::clone(&hooks);
    hooks.watch(tasks::threaded(move || work(&theirs))).await
}

/// Runs the hooks of one piece of work, and lets their time be watched.
pub(crate) struct Hooks {
    time: Duration,
    begun: Instant,
    late: Option<Instant>,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    running: Option<Running>,
    /// How many things have run.
    number: u64,
    /// Nobody waits for the work any longer.
    abandoned: bool,
}

/// What runs, and how long it may.
struct Running {
    what: What,
    given: Duration,
    deadline: Instant,
    interrupt: Option<Arc<dyn Interrupt>>,
}

/// What can take too long.
#[derive(Clone, Copy)]
enum What {
    Opening,
    Hook(Hook),
}

impl Hooks {
    fn new(late: Option<Instant>, time: Duration) -> Arc<Self> {
        Arc::new(Self { time, begun: Instant::now(), late, watched: Mutex::default() })
    }

    /// Waits for the work, and interrupts what takes too long in it.
    async fn watch<T>(&self, mut task: BoxFuture<'static, T>) -> Result<T> {
        loop {
            if let Ok(done) = until(self.next_due(), &mut task).await {
                return Ok(done);
            }
            let Some(number) = self.interrupt_late() else { continue };
            if let Ok(done) = until(Instant::now() + GRACE, &mut task).await {
                return Ok(done);
            }
            if let Some(error) = self.abandon(number) {
                return Err(error);
            }
        }
    }

    /// Runs one hook. `Ok(None)` when the plugin has no such hook.
    ///
    /// # Errors
    /// The plugin's own, and `deadline_exceeded` when it had to be interrupted.
    pub(crate) fn run(&self, instance: &mut dyn Instance, hook: Hook, input: &[u8]) -> Result<Option<Vec<u8>>> {
        self.run_as(instance, hook, input, Scope::within(self.time))
    }

    /// [`Hooks::run`] on somebody's behalf, and no longer than they wait.
    ///
    /// # Errors
    /// As [`Hooks::run`].
    pub(crate) fn run_as(
        &self,
        instance: &mut dyn Instance,
        hook: Hook,
        input: &[u8],
        scope: Scope,
    ) -> Result<Option<Vec<u8>>> {
        let deadline = scope.deadline.min(self.time).instant();
        let deadline = self.late.map_or(deadline, |late| late.min(deadline));
        let scope = Scope { deadline: Deadline::At(deadline), ..scope };
        let given = self.begin(What::Hook(hook), deadline, instance.interrupter())?;
        let answer = catch_unwind(AssertUnwindSafe(|| instance.hook(hook, input, &scope)));
        self.end();
        match answer.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked"))) {
            Err(error) if error.code() == Code::Cancelled => Err(too_long(What::Hook(hook), given).because(&error)),
            answer => answer.map_err(|error| phase(error, hook)),
        }
    }

    /// Opens code, which is no hook and cannot be interrupted. Where it takes too long, nobody waits for it any longer; what
    /// comes after all is dropped here.
    ///
    /// # Errors
    /// The work's own, and `deadline_exceeded` for what came too late.
    pub(crate) fn open<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(late) = self.late else { return work() };
        self.begin(What::Opening, late, None)?;
        let opened = work();
        if self.end() { opened } else { Err(not_opened(late.saturating_duration_since(self.begun))) }
    }

    /// Whether nobody waits for the work any longer.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.watched().abandoned
    }

    /// Notes that something begins, and says how long it may take.
    ///
    /// # Errors
    /// `deadline_exceeded` when the work was abandoned.
    fn begin(&self, what: What, deadline: Instant, interrupt: Option<Arc<dyn Interrupt>>) -> Result<Duration> {
        let from = if matches!(what, What::Opening) { self.begun } else { Instant::now() };
        let given = deadline.saturating_duration_since(from);
        let mut watched = self.watched();
        watched.number += 1;
        if watched.abandoned {
            return Err(too_long(what, self.time));
        }
        watched.running = Some(Running { what, given, deadline, interrupt });
        Ok(given)
    }

    /// Notes that it has ended, and says whether anybody still waits for the work.
    fn end(&self) -> bool {
        let mut watched = self.watched();
        watched.running = None;
        !watched.abandoned
    }

    /// Nothing is late before that.
    fn next_due(&self) -> Instant {
        self.watched().running.as_ref().map_or_else(|| Deadline::After(self.time).instant(), |running| running.deadline)
    }

    /// Interrupts what runs if it is late, and returns its number.
    fn interrupt_late(&self) -> Option<u64> {
        let watched = self.watched();
        let late = watched.running.as_ref().filter(|running| running.deadline <= Instant::now())?;
        if let Some(interrupt) = &late.interrupt {
            interrupt.interrupt();
        }
        Some(watched.number)
    }

    /// Gives the work up if what has that number still runs.
    fn abandon(&self, number: u64) -> Option<Error> {
        let mut watched = self.watched();
        let late = watched.running.as_ref().filter(|_| watched.number == number)?;
        let error = too_long(late.what, late.given);
        watched.abandoned = true;
        Some(error)
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_long(what: What, given: Duration) -> Error {
    // No clock that people look at is finer.
    let given = Duration::from_millis(u64::try_from(given.as_micros().div_ceil(1000)).unwrap_or(u64::MAX));
    match what {
        What::Opening => not_opened(given),
        What::Hook(hook) => {
            Error::new(Code::DeadlineExceeded, format!("the hook `{hook}` did not end within {given:?}"))
                .remedy("make the hook faster, or raise limits.hook_deadline_ms, or the settings' load.timeout")
                .with("hook", hook.name())
        }
    }
}

/// What is said of code that takes too long to open.
pub(crate) fn not_opened(given: Duration) -> Error {
    Error::new(Code::DeadlineExceeded, format!("the code was not opened within {given:?}"))
        .remedy("see what it does while it is opened, or raise the settings' load.timeout")
}

/// The phase decides the kind of what the plugin itself did wrong; limits and deadlines keep theirs.
fn phase(error: Error, hook: Hook) -> Error {
    let error = error.with("hook", hook.name());
    if !matches!(error.record().kind, Kind::Execute) {
        return error;
    }
    match hook {
        Hook::Init | Hook::ValidateConfig => error.kind(Kind::Initialize),
        Hook::Start => error.kind(Kind::Start),
        Hook::Stop | Hook::Cleanup => error.kind(Kind::Stop),
        _ => error,
    }
}
