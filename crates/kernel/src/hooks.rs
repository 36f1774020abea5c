//! Running hooks: each on a thread of its own, each with a deadline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Hook, Kind, Result};

use crate::alarm::until;
use crate::call::{Deadline, Scope};
use crate::runtime::Instance;

/// How long an instance that was told to stop its hook may take to do so before it is abandoned.
const GRACE: Duration = Duration::from_millis(500);

/// What a hook left behind: the instance, unless it had to be abandoned, and the hook's answer.
pub(crate) struct Ran {
    pub(crate) instance: Option<Box<dyn Instance>>,
    pub(crate) answer: Result<Option<Vec<u8>>>,
}

/// Runs one hook within so much time. `Ok(None)` when the plugin has no such hook.
///
/// A hook that neither ends nor lets itself be interrupted is abandoned with its instance: the thread lives on until
/// the hook returns, and the instance is dropped there.
pub(crate) async fn run(mut instance: Box<dyn Instance>, hook: Hook, input: Arc<[u8]>, time: Duration) -> Ran {
    let interrupt = instance.interrupter();
    let deadline = Deadline::After(time).instant();
    let scope = Scope { deadline: Deadline::At(deadline), ..Scope::default() };
    let mut task = blocking::unblock(move || {
        let answer = catch_unwind(AssertUnwindSafe(|| instance.hook(hook, &input, &scope)));
        (instance, answer.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked"))))
    });
    let mut done = until(deadline, &mut task).await;
    if done.is_err() {
        if let Some(interrupt) = &interrupt {
            interrupt.interrupt();
        }
        done = until(Instant::now() + GRACE, &mut task).await;
    }
    match done {
        Ok((instance, Err(error))) if error.code() == Code::Cancelled => {
            Ran { instance: Some(instance), answer: Err(abandoned(hook, time).because(&error)) }
        }
        Ok((instance, answer)) => Ran { instance: Some(instance), answer: answer.map_err(|error| phase(error, hook)) },
        Err(_) => {
            task.detach();
            Ran { instance: None, answer: Err(abandoned(hook, time)) }
        }
    }
}

fn abandoned(hook: Hook, time: Duration) -> Error {
    Error::new(Code::DeadlineExceeded, format!("the hook `{hook}` did not end within {time:?}"))
        .remedy("make the hook faster, or raise limits.hook_deadline_ms")
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
