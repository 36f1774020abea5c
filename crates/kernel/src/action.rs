//! Calling: a handle for one action of one plugin.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use midplane_contract::{ActionName, Code, Error, PluginId, Result};

use crate::call::{Call, Caller, Deadline, Reply, Scope};
use crate::invoke::{self, Prepared};
use crate::lane::{Lane, Occupant, Seat};
use crate::runtime::Instance;
use crate::slot::Core;
use crate::stream::ReplyStream;

/// A handle for one action. Cheap to clone, never stale, usable from any thread.
#[derive(Clone)]
pub struct Action {
    core: Arc<Core>,
    name: ActionName,
    number: u32,
}

/// On whose behalf a call is made, and how long it may take. The default: the host's own, within the contract's 30 s.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// When the call must have ended. The action's own limit and the caller's remaining time hold as well: the
    /// earliest of the three counts.
    pub deadline: Option<Deadline>,
    /// Who calls.
    pub caller: Option<Arc<Caller>>,
    /// W3C `traceparent`.
    pub trace: Option<Arc<str>>,
}

impl CallOptions {
    /// Calls with so much time.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { deadline: Some(Deadline::After(time)), ..Self::default() }
    }

    fn scope(self, most: Duration) -> Scope {
        let deadline = self.deadline.map_or(Deadline::After(most), |deadline| deadline.min(most));
        Scope { caller: self.caller, deadline, trace: self.trace }
    }
}

/// How a try without waiting went.
enum Attempt {
    /// The call was made.
    Done(Result<()>),
    /// It was not: the lane is busy, somebody waits, or something is in the way that the long path explains.
    Occupied,
}

impl Action {
    pub(crate) fn new(core: Arc<Core>, name: ActionName, number: u32) -> Self {
        Self { core, name, number }
    }

    /// The plugin that is called.
    #[must_use]
    pub fn plugin(&self) -> &PluginId {
        &self.core.id
    }

    /// The action's name.
    #[must_use]
    pub fn name(&self) -> &ActionName {
        &self.name
    }

    /// Calls on this thread and appends the reply to `reply`: the way without a hand-over, a few nanoseconds above the
    /// plugin's own time. The buffer can be reused.
    ///
    /// WebAssembly, JavaScript and workers are ended when the deadline passes; native code in this process runs to its
    /// end. Where other calls wait or no instance is free, this waits its turn, blocking the thread. Not for use inside
    /// an async executor with plugins that may take long: see [`Action::call`].
    ///
    /// # Errors
    /// The plugin's own as `plugin_error`; otherwise what the contract names. On error the buffer may hold a part.
    #[inline]
    pub fn call_inline(&self, input: &[u8], reply: &mut Vec<u8>) -> Result<()> {
        match self.attempt(input, reply, None) {
            Attempt::Done(done) => done,
            Attempt::Occupied => self.call_waiting(input, reply, CallOptions::default()),
        }
    }

    /// [`Action::call_inline`] with options.
    ///
    /// # Errors
    /// As [`Action::call_inline`].
    pub fn call_inline_with(&self, input: &[u8], reply: &mut Vec<u8>, options: CallOptions) -> Result<()> {
        let mut scope = options.clone().scope(Duration::MAX);
        match self.attempt(input, reply, Some(&mut scope)) {
            Attempt::Done(done) => done,
            Attempt::Occupied => self.call_waiting(input, reply, options),
        }
    }

    /// Calls if the first lane is free and nobody waits: the path that counts nanoseconds. One locked instruction, the
    /// lane's `try_lock`; everything else is plain loads and stores.
    #[inline]
    fn attempt(&self, input: &[u8], reply: &mut Vec<u8>, own: Option<&mut Scope>) -> Attempt {
        let number = self.core.current();
        let berth = self.core.berth_at(number);
        // Those who wait go first: with anybody in the queue, queue as well.
        if !berth.queue.is_empty() {
            return Attempt::Occupied;
        }
        let lane = &berth.first;
        let Some(mut seat) = lane.seat.try_lock() else { return Attempt::Occupied };
        let Seat { occupant, actions, payload, .. } = &mut *seat;
        let (Occupant::Idle(instance), Some(entry)) = (occupant, actions.get(self.number as usize)) else {
            return Attempt::Occupied;
        };
        let (Some(code), true) = (entry.code, input.len() <= *payload) else { return Attempt::Occupied };
        let stamped;
        let scope = match own {
            None if entry.nests => {
                stamped = Scope { deadline: entry.scope.deadline.stamped(), ..Scope::default() };
                &stamped
            }
            None => &entry.scope,
            Some(own) => {
                own.deadline = own.deadline.min(entry.time);
                if entry.nests {
                    own.deadline = own.deadline.stamped();
                }
                own
            }
        };
        let call = Call { action: code, name: self.name.as_str(), input, scope };
        lane.calling.store(true, Ordering::Relaxed);
        let done = run(lane, instance, &call, &mut Reply::buffer(reply, *payload));
        lane.calling.store(false, Ordering::Relaxed);
        if done.is_err() {
            // Errors take the long way: the instance may be spent or dead, which its turn sees to.
            let occupant = std::mem::replace(&mut seat.occupant, Occupant::Away);
            drop(seat);
            return Attempt::Done(self.settle(number, occupant, done));
        }
        drop(seat);
        berth.queue.lane_freed();
        Attempt::Done(done)
    }

    #[cold]
    fn settle(&self, number: usize, occupant: Occupant, done: Result<()>) -> Result<()> {
        if let Occupant::Idle(instance) = occupant {
            let turn = crate::turn::Turn::new(&self.core, number, 0, instance, crate::turn::Leave::AsItIs);
            let generation = turn.generation();
            drop(turn);
            return done.map_err(|error| self.core.failed(error, generation.as_ref(), &self.name));
        }
        done
    }

    #[cold]
    fn call_waiting(&self, input: &[u8], reply: &mut Vec<u8>, options: CallOptions) -> Result<()> {
        block_on(async {
            let mut prepared = invoke::prepare(&self.core, self.number, &self.name, input.len(), options).await?;
            let done = prepared.run_inline(input, reply);
            prepared.finish(done)
        })
    }

    /// Calls without blocking the executor: instances that block get a thread of their own, others are polled here and
    /// yield every few milliseconds. Dropping the future cancels the call.
    ///
    /// # Errors
    /// As [`Action::call_inline`]; `deadline_exceeded` for every runtime, `overloaded` when too many wait.
    pub async fn call(&self, input: impl Into<Vec<u8>>) -> Result<Vec<u8>> {
        self.call_with(input, CallOptions::default()).await
    }

    /// [`Action::call`] with options.
    ///
    /// # Errors
    /// As [`Action::call`].
    pub async fn call_with(&self, input: impl Into<Vec<u8>>, options: CallOptions) -> Result<Vec<u8>> {
        let input = input.into();
        self.prepare(input.len(), options).await?.run(input).await
    }

    /// The first half of [`Action::call_with`]: waits for a turn. Where it fails nothing of the plugin has run.
    pub(crate) async fn prepare(&self, size: usize, options: CallOptions) -> Result<Prepared> {
        invoke::prepare(&self.core, self.number, &self.name, size, options).await
    }

    /// Calls and hands on the reply chunk by chunk, at most [`crate::stream::CHUNKS_AHEAD`] chunks ahead of the reader.
    /// A single reply is a stream of one. Dropping the stream cancels the call.
    ///
    /// # Errors
    /// As [`Action::call`] for what happens before the first chunk; later errors come through the stream.
    pub async fn stream(&self, input: impl Into<Vec<u8>>, options: CallOptions) -> Result<ReplyStream> {
        let input = input.into();
        Ok(self.prepare(input.len(), options).await?.stream(input))
    }
}

/// One call on this thread: counted always, timed for one in [`crate::lane::SAMPLE_EVERY`].
#[inline]
pub(crate) fn run(lane: &Lane, instance: &mut Box<dyn Instance>, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
    let started = lane.counts.call().then(Instant::now);
    let done = instance.call_inline(call, reply);
    if let Some(started) = started {
        lane.counts.duration(started.elapsed());
    }
    if done.is_err() {
        lane.counts.error();
    }
    done
}

/// What a call of an action that is not there gets.
#[cold]
pub(crate) fn not_there(core: &Core, name: &ActionName) -> Error {
    let generation = core.generation();
    let known: Vec<String> =
        generation.iter().flat_map(|generation| generation.actions().map(|(_, known)| known.to_string())).collect();
    let remedy = match known.as_slice() {
        [] => "the plugin offers no actions".to_owned(),
        known => format!("it offers: {}", known.join(", ")),
    };
    let error = Error::new(Code::ActionNotFound, format!("there is no action `{name}`")).remedy(remedy);
    core.failed(error, generation.as_ref(), name)
}

/// What a call with too large an input gets.
#[cold]
pub(crate) fn too_large(size: usize, most: usize) -> Error {
    Error::new(Code::LimitExceeded, format!("the input has {size} bytes, more than the {most} allowed"))
        .remedy("send less, or raise limits.payload")
        .with("which", "payload")
        .with("limit", most as u64)
}
