//! Hooks: run on threads that may block, each within its own time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Hook, Kind, Result};

use crate::alarm::until;
use crate::call::{Deadline, Scope};
use crate::runtime::{Instance, Interrupt};

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
    let hooks = Arc::new(Hooks { time, watched: Mutex::default() });
    let theirs = Arc::clone(&hooks);
    let mut task = blocking::unblock(move || work(&theirs));
    loop {
        if let Ok(done) = until(hooks.next_due(), &mut task).await {
            return Ok(done);
        }
        let Some(number) = hooks.interrupt_late() else { continue };
        if let Ok(done) = until(Instant::now() + GRACE, &mut task).await {
            return Ok(done);
        }
        if let Some(hook) = hooks.abandon(number) {
            task.detach();
            return Err(abandoned(hook, time));
        }
    }
}

/// Runs the hooks of one piece of work, and lets their time be watched.
pub(crate) struct Hooks {
    time: Duration,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    running: Option<Running>,
    /// How many have run.
    number: u64,
    /// Nobody waits for the work any longer.
    abandoned: bool,
}

struct Running {
    hook: Hook,
    deadline: Instant,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl Hooks {
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
        let scope = Scope { deadline: Deadline::At(deadline), ..scope };
        let running = Running { hook, deadline, interrupt: instance.interrupter() };
        if !self.begin(running) {
            return Err(abandoned(hook, self.time));
        }
        let answer = catch_unwind(AssertUnwindSafe(|| instance.hook(hook, input, &scope)));
        self.watched().running = None;
        match answer.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked"))) {
            Err(error) if error.code() == Code::Cancelled => Err(abandoned(hook, self.time).because(&error)),
            answer => answer.map_err(|error| phase(error, hook)),
        }
    }

    /// Whether nobody waits for the work any longer.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.watched().abandoned
    }

    /// False when the work was abandoned.
    fn begin(&self, running: Running) -> bool {
        let mut watched = self.watched();
        watched.number += 1;
        let wanted = !watched.abandoned;
        watched.running = wanted.then_some(running);
        wanted
    }

    /// No hook is late before that.
    fn next_due(&self) -> Instant {
        self.watched().running.as_ref().map_or_else(|| Deadline::After(self.time).instant(), |running| running.deadline)
    }

    /// Interrupts the running hook if it is late, and returns its number.
    fn interrupt_late(&self) -> Option<u64> {
        let watched = self.watched();
        let late = watched.running.as_ref().filter(|running| running.deadline <= Instant::now())?;
        if let Some(interrupt) = &late.interrupt {
            interrupt.interrupt();
        }
        Some(watched.number)
    }

    /// Gives the work up if the hook of that number still runs.
    fn abandon(&self, number: u64) -> Option<Hook> {
        let mut watched = self.watched();
        let hook = watched.running.as_ref().filter(|_| watched.number == number)?.hook;
        watched.abandoned = true;
        Some(hook)
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn abandoned(hook: Hook, time: Duration) -> Error {
    Error::new(Code::DeadlineExceeded, format!("the hook `{hook}` did not end within {time:?}"))
        .remedy("make the hook faster, or raise limits.hook_deadline_ms, or the settings' load.timeout")
        .with("hook", hook.name())
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
