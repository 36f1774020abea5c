//! Calls through futures, and calls that had to wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use midplane_contract::{ActionName, Code, Error, Result};

use crate::action::{CallOptions, not_there, too_large};
use crate::alarm::until;
use crate::call::{Call, Deadline, Reply, Scope};
use crate::generation::Generation;
use crate::halt::{Halt, HaltOnDrop};
use crate::runtime::Interrupt;
use crate::slot::Core;
use crate::stream::{self, ReplyStream};
use crate::tasks;
use crate::turn::{Turn, acquire};

/// How long an instance that was told to stop may take to do so before it is left to itself.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

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

    /// Completes an error of this call, for whoever no longer has the call itself.
    pub(crate) fn signature(&self) -> Box<dyn Fn(Error) -> Error + Send + Sync> {
        let (core, generation, name) = (Arc::clone(self.turn.core()), Arc::clone(&self.generation), self.name.clone());
        Box::new(move |error| core.failed(error, Some(&generation), &name))
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

    async fn run_on_thread(self, input: Vec<u8>) -> Result<Vec<u8>> {
        let deadline = self.deadline;
        let (core, generation, name) = (Arc::clone(self.turn.core()), Arc::clone(&self.generation), self.name.clone());
        let errand = Errand::new(self, input);
        let mut guard = HaltOnDrop::new(&errand.halt.0, deadline);
        let mut task = tasks::threaded(move || errand.run());
        let mut done = until(deadline, &mut task).await;
        if done.is_err() {
            guard.interrupt();
            // The instance's own word on how it ended is better than ours, if it comes at once.
            done = until(Instant::now() + GRACE, &mut task).await.map(|done| done.map_err(late_not_cancelled));
        }
        let outlived = guard.outlived();
        guard.disarm();
        match done {
            Ok(done) => done,
            Err(_) => {
                let error = too_late(outlived);
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

/// A call on its way to a thread.
struct Errand {
    /// Before the call, so that it goes first: the call has returned before its instance is somebody else's.
    halt: Returned,
    prepared: Prepared,
    input: Vec<u8>,
}

impl Errand {
    fn new(mut prepared: Prepared, input: Vec<u8>) -> Self {
        Self { halt: Returned(Halt::new(prepared.interrupter())), prepared, input }
    }

    fn run(self) -> Result<Vec<u8>> {
        let Self { halt, mut prepared, input } = self;
        let mut output = Vec::new();
        let done = catch_unwind(AssertUnwindSafe(|| {
            let cap = prepared.generation.payload;
            let call =
                Call { action: prepared.code, name: prepared.name.as_str(), input: &input, scope: &prepared.scope };
            let started = Instant::now();
            let done = prepared.turn.instance()?.call_inline(&call, &mut Reply::buffer(&mut output, cap));
            prepared.count(started, &done);
            done
        }));
        drop(halt);
        let done = done.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the runtime itself panicked")));
        prepared.finish(done.map(|()| output))
    }
}

/// Says when it goes that the call has returned.
pub(crate) struct Returned(pub(crate) Arc<Halt>);

impl Drop for Returned {
    fn drop(&mut self) {
        self.0.returned();
    }
}

/// A call that was interrupted because of its deadline says that it was cancelled; its caller wants to know why.
pub(crate) fn late_not_cancelled(error: Error) -> Error {
    if error.code() != Code::Cancelled {
        return error;
    }
    let record = error.record();
    let late = too_late("the call took too long and was ended").because(&error);
    let late = record.plugin.iter().fold(late, Error::plugin);
    let late = record.runtime.iter().fold(late, Error::runtime);
    let late = record.action.iter().fold(late, Error::action);
    record.generation.into_iter().fold(late, Error::generation)
}

/// The error of a deadline that passed.
#[cold]
pub(crate) fn too_late(message: &str) -> Error {
    Error::new(Code::DeadlineExceeded, message).remedy("give the call more time, or look at why it takes so long")
}
