//! One request and its answer, as a machine that moves whenever something came. Blocking callers and futures drive it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use midplane_contract::frame::message::{Link, Origin};
use midplane_contract::frame::{FrameKind, NO_DEADLINE, Prefix, WINDOW, flag};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Deadline, Scope};

use crate::connection::{Connection, Lane, Waiter};

/// Time that a peer gets to end a request that was given up.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// Time after which a caller waits no longer for a process that not even a kill ends.
const UNKILLABLE: Duration = Duration::from_secs(5);
/// The longest `traceparent` that is passed on; the standard's has 55 bytes.
const TRACE: usize = 512;

/// What is asked.
pub(crate) struct Request<'a> {
    pub(crate) kind: FrameKind,
    pub(crate) flags: u8,
    pub(crate) value: u32,
    pub(crate) header: &'a [u8],
    pub(crate) scope: &'a Scope,
}

/// Buffers that a lane's user keeps, so that calls allocate nothing.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    pieces: VecDeque<usize>,
}

/// Takes the pieces of an answer.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&[u8]) -> Result<()>;

/// A request under way. Dropped before its end, it is cancelled.
pub(crate) struct Exchange<'a> {
    connection: &'a Arc<Connection>,
    lane: &'a Arc<Lane>,
    scratch: &'a mut Scratch,
    input: &'a [u8],
    id: u32,
    sent: usize,
    /// Bytes taken since the peer was last given credit.
    taken: usize,
    over: bool,
    /// Whether the deadline has passed and the peer was told to stop.
    late: Option<Error>,
}

impl<'a> Exchange<'a> {
    /// Sends the request's first frame.
    ///
    /// # Errors
    /// `limit_exceeded` when it is larger than the peer takes, and what ended the connection.
    pub(crate) fn start(
        connection: &'a Arc<Connection>,
        lane: &'a Arc<Lane>,
        scratch: &'a mut Scratch,
        request: &Request<'_>,
        input: &'a [u8],
    ) -> Result<Self> {
        let limits = connection.peer_limits();
        if input.len() > limits.payload {
            let message =
                format!("the input has {} bytes, more than the {} that the worker takes", input.len(), limits.payload);
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("send less at once")
                .with("which", "payload")
                .with("limit", limits.payload as u64));
        }
        let action = (request.kind == FrameKind::Call).then_some(request.value);
        let first = input.len().min(limits.chunk).min(limits.window);
        let id = {
            let mut state = lane.lock();
            if let Some(fate) = connection.fate() {
                return Err(fate.clone());
            }
            state.begin(request.scope, action, limits.window - first)
        };
        connection.enter();
        let (piece, rest) = input.split_at(first);
        let more = if rest.is_empty() { 0 } else { flag::MORE };
        let head = Prefix::new(request.kind, lane.number, id)
            .flags(request.flags | more)
            .value(request.value)
            .time(milliseconds(request.scope.deadline));
        let exchange = Self { connection, lane, scratch, input, id, sent: first, taken: 0, over: false, late: None };
        connection.send(head, request.header, piece);
        connection.cancel_again(lane, id);
        Ok(exchange)
    }

    /// Moves on as far as it can without waiting. `None` means that the waiter will be woken.
    pub(crate) fn advance(&mut self, take: Take<'_>, waker: Option<&Waker>) -> Option<Result<bool>> {
        loop {
            let end = {
                let mut state = self.lane.lock();
                if state.end.is_none() && state.pieces.is_empty() {
                    let unsent = self.sent < self.input.len();
                    if !unsent || state.credit == 0 {
                        state.starved = unsent;
                        let waiter = || match waker {
                            Some(waker) => Waiter::Task(waker.clone()),
                            None => Waiter::Thread(std::thread::current()),
                        };
                        state.wait(waiter, waker);
                        return None;
                    }
                }
                std::mem::swap(&mut state.inbox, &mut self.scratch.bytes);
                std::mem::swap(&mut state.pieces, &mut self.scratch.pieces);
                state.end.take()
            };
            let taken = self.hand_over(take);
            if let Some(end) = end {
                self.finish();
                return Some(taken.and(end));
            }
            if let Err(error) = taken {
                return Some(Err(error));
            }
            self.grant();
            self.send_more();
        }
    }

    /// Waits for the end on this thread. At the deadline the peer is told to stop; if it does not, it is killed.
    pub(crate) fn wait(mut self, take: Take<'_>, deadline: Instant) -> Result<bool> {
        loop {
            if let Some(end) = self.advance(take, None) {
                return match self.late.take() {
                    Some(late) => Err(match end {
                        Err(error) if error.code() != Code::DeadlineExceeded => late.because(&error),
                        _ => late,
                    }),
                    None => end,
                };
            }
            // Once late, the reactor's clock decides: it ends the process, and that ends the wait.
            let until = if self.late.is_some() { deadline.max(Instant::now()) + GRACE } else { deadline };
            self.connection.wait(self.lane, until);
            if let Some(late) = self.late.take_if(|_| deadline.elapsed() > UNKILLABLE) {
                return Err(late);
            }
            if self.late.is_none() && Instant::now() >= deadline && !self.lane.lock().news() {
                let error = Error::new(Code::DeadlineExceeded, "the deadline passed before the worker had answered")
                    .remedy("allow more time, or find out what keeps the plugin");
                self.connection.cancel(self.lane, self.id, GRACE, &error);
                self.late = Some(error);
            }
        }
    }

    fn hand_over(&mut self, take: Take<'_>) -> Result<()> {
        let mut at = 0;
        let mut result = Ok(());
        while let Some(length) = self.scratch.pieces.pop_front() {
            let piece = self.scratch.bytes.get(at..at + length).unwrap_or_default();
            at += length;
            if result.is_ok() {
                result = take(piece);
            }
        }
        self.taken += at;
        self.scratch.bytes.clear();
        self.scratch.bytes.shrink_to(WINDOW);
        result
    }

    fn grant(&mut self) {
        if self.taken >= WINDOW / 2 {
            self.lane.lock().room += self.taken;
            let more = u32::try_from(self.taken).unwrap_or(u32::MAX);
            self.taken = 0;
            self.connection.send(Prefix::new(FrameKind::Credit, self.lane.number, self.id).value(more), &[], &[]);
        }
    }

    fn send_more(&mut self) {
        while self.sent < self.input.len() {
            let rest = self.input.get(self.sent..).unwrap_or_default();
            let count = {
                let mut state = self.lane.lock();
                let count = rest.len().min(state.credit).min(self.connection.peer_limits().chunk);
                state.credit -= count;
                count
            };
            if count == 0 {
                return;
            }
            let (piece, after) = rest.split_at(count);
            self.sent += count;
            let flags = if after.is_empty() { 0 } else { flag::MORE };
            self.connection.send(Prefix::new(FrameKind::Data, self.lane.number, self.id).flags(flags), &[], piece);
        }
    }

    fn finish(&mut self) {
        self.over = true;
        self.lane.lock().live = 0;
        self.connection.leave();
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        self.finish();
        let cause =
            Error::new(Code::Cancelled, "the caller gave up").remedy("call again if the answer is still wanted");
        self.connection.cancel(self.lane, self.id, GRACE, &cause);
    }
}

fn milliseconds(deadline: Deadline) -> u32 {
    let left = deadline.remaining();
    let rounded = left.as_millis() + u128::from(!left.subsec_nanos().is_multiple_of(1_000_000));
    u32::try_from(rounded).map_or(NO_DEADLINE, |left| left.min(NO_DEADLINE - 1))
}

/// The header that says on whose behalf; empty for a call of the host's own.
pub(crate) fn origin(scope: &Scope) -> Vec<u8> {
    if scope.caller.is_none() && scope.trace.is_none() {
        return Vec::new();
    }
    let chain = scope.caller.iter().flat_map(|caller| caller.chain());
    let origin = Origin {
        caller: chain.map(|link| Link { plugin: link.plugin.clone(), action: link.action.clone() }).collect(),
        trace: scope.trace.as_deref().filter(|trace| trace.len() <= TRACE).map(str::to_owned),
    };
    serde_json::to_vec(&origin).unwrap_or_default()
}
