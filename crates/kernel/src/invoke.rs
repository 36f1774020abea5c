//! Calls through futures, and calls that had to wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use midplane_contract::{ActionName, Code, Error, Result};

use crate::action::{CallOptions, not_there, too_large};
use crate::alarm::until;
use crate::call::{Call, Deadline, Reply, Scope};
use crate::generation::Generation;
use crate::runtime::Interrupt;
use crate::slot::Core;
use crate::stream::{self, ReplyStream};
use crate::turn::{Turn, acquire};

/// How long an instance that was told to stop may take to do so before it is left to itself.
const GRACE: Duration = Duration::from_millis(500);

/// A call that has its turn.
pub(crate) struct Prepared {
    turn: Turn,
    generation: Arc<Generation>,
    name: ActionName,
    code: u32,
    scope: Scope,
    deadline: Instant,
}

/// Waits for a turn and looks up the action. Time spent waiting counts against the deadline.
pub(crate) async fn prepare(
    core: &Arc<Core>,
    action: u32,
    name: &ActionName,
    size: usize,
    options: CallOptions,
) -> Result<Prepared> {
    let CallOptions { deadline, caller, trace } = options;
    let generation = core.generation();
    let most = generation.as_ref().map_or(midplane_contract::defaults::CALL_DEADLINE, |g| g.call_time(name));
    let asked = deadline.unwrap_or(Deadline::After(most)).instant();
    let deadline = asked.min(Deadline::After(most).instant());
    let turn = match until(deadline, acquire(core)).await {
        Ok(turn) => turn.map_err(|error| error.action(name))?,
        Err(_) => {
            let message = "the deadline passed while the call waited for its turn";
            return Err(core.failed(too_late(message), generation.as_ref(), name));
        }
    };
    let generation = turn.generation().ok_or_else(|| not_there(core, name))?;
    let code = turn.action(action).ok_or_else(|| not_there(core, name))?;
    if size > generation.payload {
        return Err(core.failed(too_large(size, generation.payload), Some(&generation), name));
    }
    let scope = Scope { caller, deadline: Deadline::At(deadline), trace };
    Ok(Prepared { turn, generation, name: name.clone(), code, scope, deadline })
}

impl Prepared {
    /// Runs on this thread.
    pub(crate) fn run_inline(&mut self, input: &[u8], reply: &mut Vec<u8>) -> Result<()> {
        let cap = self.generation.payload;
        self.run_into(input, &mut Reply::buffer(reply, cap))
    }

    pub(crate) fn run_into(&mut self, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
        let call = Call { action: self.code, name: self.name.as_str(), input, scope: &self.scope };
        let started = Instant::now();
        self.turn.counts(crate::lane::Counts::call);
        let done = self.turn.instance()?.call_inline(&call, reply);
        self.count(started, &done);
        done
    }

    /// Gives the turn back and completes the error, if there is one.
    pub(crate) fn finish<T>(self, done: Result<T>) -> Result<T> {
        let core = Arc::clone(self.turn.core());
        drop(self.turn);
        done.map_err(|error| core.failed(error, Some(&self.generation), &self.name))
    }

    /// The generation that answers.
    pub(crate) fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// The instant by which the call must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// A way to stop it.
    pub(crate) fn interrupter(&mut self) -> Option<Arc<dyn Interrupt>> {
        self.turn.instance().ok()?.interrupter()
    }

    /// Runs as a future: polled here where the instance can, otherwise on a thread of its own.
    pub(crate) async fn run(mut self, input: Vec<u8>) -> Result<Vec<u8>> {
        let cap = self.generation.payload;
        let mut output = Vec::new();
        let polled = {
            let call = Call { action: self.code, name: self.name.as_str(), input: &input, scope: &self.scope };
            let mut reply = Reply::buffer(&mut output, cap);
            self.turn.counts(crate::lane::Counts::call);
            match self.turn.instance()?.call(&call, &mut reply) {
                Some(future) => {
                    let started = Instant::now();
                    let done = until(self.deadline, future).await;
                    Some((started, done))
                }
                None => None,
            }
        };
        match polled {
            Some((started, done)) => {
                let done = done.unwrap_or_else(|_| Err(too_late("the call took too long and was ended")));
                self.count(started, &done);
                self.finish(done.map(|()| output))
            }
            None => self.run_on_thread(input).await,
        }
    }

    async fn run_on_thread(mut self, input: Vec<u8>) -> Result<Vec<u8>> {
        let interrupt = self.interrupter();
        let deadline = self.deadline;
        let (core, generation, name) = (Arc::clone(self.turn.core()), Arc::clone(&self.generation), self.name.clone());
        let mut guard = InterruptOnDrop(interrupt);
        let mut task = blocking::unblock(move || {
            let mut output = Vec::new();
            let done = catch_unwind(AssertUnwindSafe(|| {
                let cap = self.generation.payload;
                let call = Call { action: self.code, name: self.name.as_str(), input: &input, scope: &self.scope };
                let started = Instant::now();
                let done = self.turn.instance()?.call_inline(&call, &mut Reply::buffer(&mut output, cap));
                self.count(started, &done);
                done
            }));
            let done = done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked")));
            self.finish(done.map(|()| output))
        });
        let mut done = until(deadline, &mut task).await;
        if done.is_err()
            && let Some(interrupt) = &guard.0
        {
            interrupt.interrupt();
            // The instance's own word on how it ended is better than ours, if it comes at once.
            done = until(Instant::now() + GRACE, &mut task).await;
        }
        guard.0 = None;
        match done {
            Ok(done) => done,
            Err(_) => {
                task.detach();
                let error = too_late("the call took too long; it goes on in its thread until it ends by itself");
                Err(core.failed(error, Some(&generation), &name))
            }
        }
    }

    /// Runs on a thread of its own and hands on chunks.
    pub(crate) fn stream(self, input: Vec<u8>) -> ReplyStream {
        stream::begin(self, input)
    }

    fn count<T>(&self, started: Instant, done: &Result<T>) {
        self.turn.counts(|counts| {
            counts.duration(started.elapsed());
            if done.is_err() {
                counts.error();
            }
        });
    }
}

/// Stops a call whose caller has gone.
pub(crate) struct InterruptOnDrop(pub(crate) Option<Arc<dyn Interrupt>>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(interrupt) = &self.0 {
            interrupt.interrupt();
        }
    }
}

/// The error of a deadline that passed.
#[cold]
pub(crate) fn too_late(message: &str) -> Error {
    Error::new(Code::DeadlineExceeded, message).remedy("give the call more time, or look at why it takes so long")
}
