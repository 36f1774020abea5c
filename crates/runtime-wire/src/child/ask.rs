//! A plugin's way from a worker to the kernel.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, Weak};

use midplane_contract::frame::{Frame, FrameKind, Prefix, WINDOW, flag, message};
use midplane_contract::{Code, Error, HostFunction, Result, defaults};
use midplane_kernel::{Host, HostRequest, Within};

use super::line::{Line, lock};

/// A request to the host that is under way.
pub(super) struct Ask {
    instance: u16,
    state: Mutex<AskState>,
    bell: Condvar,
}

#[derive(Default)]
struct AskState {
    reply: Vec<u8>,
    end: Option<Result<()>>,
    /// Bytes of the request that may still be sent.
    credit: usize,
    /// Bytes of the answer taken since credit was given.
    taken: usize,
}

impl Ask {
    pub(super) fn belongs_to(&self, instance: u16) -> bool {
        self.instance == instance
    }
}

/// The kernel as an instance in a worker sees it.
pub(super) struct HostLine {
    line: Weak<Line>,
    instance: u16,
}

impl HostLine {
    pub(super) fn new(line: &Arc<Line>, instance: u16) -> Self {
        Self { line: Arc::downgrade(line), instance }
    }
}

impl Host for HostLine {
    fn request(&self, _within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        let Some(line) = self.line.upgrade() else {
            return Err(Error::new(Code::PeerGone, "the host is gone").remedy("stop"));
        };
        line.ask(self.instance, request)
    }

    fn lost(&self, cause: Error) {
        eprintln!("instance {} was lost: {cause}", self.instance);
    }
}

impl Line {
    fn ask(self: &Arc<Self>, instance: u16, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        let limits = self.host_limits();
        request.function.check_arguments(request.args.len())?;
        let (size, cap) = (request.payload.len(), limits.payload);
        if size > cap {
            let message = format!("a request to the host has a payload of {size} bytes, more than {cap}");
            let error = Error::new(Code::LimitExceeded, message).remedy("send less at once");
            return Err(error.with("which", "payload").with("limit", cap as u64));
        }
        let id = self.last_ask.fetch_add(2, Ordering::Relaxed).wrapping_add(2).max(2);
        let first = request.payload.len().min(limits.chunk).min(limits.window);
        let state = AskState { credit: limits.window - first, ..AskState::default() };
        let ask = Arc::new(Ask { instance, state: Mutex::new(state), bell: Condvar::new() });
        lock(&self.asks).insert(id, Arc::clone(&ask));
        let result = self.converse(id, &ask, request, first);
        lock(&self.asks).remove(&id);
        result
    }

    fn converse(self: &Arc<Self>, id: u32, ask: &Arc<Ask>, request: &HostRequest<'_>, first: usize) -> Result<Vec<u8>> {
        let seat = self.seat(ask.instance);
        // A plugin's own threads ask on after a call was given up; the call itself does not.
        let ours = seat.filter(|seat| seat.runs_here());
        let given_up = || {
            ours.as_ref().is_some_and(|seat| seat.is_cancelled()).then(|| {
                Error::new(Code::Cancelled, "the call was given up while it waited for the host").remedy("return")
            })
        };
        let (mut piece, mut rest) = request.payload.split_at(first);
        let function = HostFunction::ALL.iter().position(|known| *known == request.function).unwrap_or(usize::MAX);
        let function = u32::try_from(function).unwrap_or(u32::MAX);
        let head = Prefix::new(FrameKind::Host, ask.instance, id).value(function);
        self.write(head.flags(if rest.is_empty() { 0 } else { flag::MORE }), request.args.as_bytes(), piece);
        while !rest.is_empty() {
            let credit = self.wait_until(&ask.state, &ask.bell, |state| match (given_up(), &mut state.end) {
                (Some(error), _) => {
                    // The host has a part of it and would wait for the rest.
                    self.write(Prefix::new(FrameKind::Cancel, ask.instance, id), &[], &[]);
                    Some(Err(error))
                }
                (None, Some(end)) => Some(end.clone().map(|()| usize::MAX)),
                (None, None) => (state.credit > 0).then_some(Ok(state.credit)),
            })?;
            if credit == usize::MAX {
                break;
            }
            (piece, rest) = rest.split_at(rest.len().min(credit).min(self.host_limits().chunk));
            lock(&ask.state).credit -= piece.len();
            let head = Prefix::new(FrameKind::Data, ask.instance, id);
            self.write(head.flags(if rest.is_empty() { 0 } else { flag::MORE }), &[], piece);
        }
        self.wait_until(&ask.state, &ask.bell, |state| match (state.end.take(), given_up()) {
            (Some(end), _) => Some(end.map(|()| std::mem::take(&mut state.reply))),
            (None, Some(error)) => Some(Err(error)),
            (None, None) => None,
        })
    }

    /// Takes a frame that belongs to a request to the host.
    pub(super) fn on_host_answer(&self, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        if head.id == 0 && head.kind == FrameKind::Error {
            let message = format!("the host gave up: {}", frame.payload.escape_ascii());
            return Err(Error::new(Code::ProtocolError, message).remedy("see what the host did not understand"));
        }
        let Some(ask) = lock(&self.asks).get(&head.id).cloned() else { return Ok(()) };
        let mut state = lock(&ask.state);
        match head.kind {
            FrameKind::Credit => state.credit = state.credit.saturating_add(head.value as usize),
            FrameKind::Error => state.end = Some(Err(message::read_error(frame.payload)?)),
            _ => {
                if state.reply.len() + frame.payload.len() > defaults::PAYLOAD_CAP {
                    let message = format!("an answer of the host has more than {} bytes", defaults::PAYLOAD_CAP);
                    return Err(Error::new(Code::ProtocolError, message).remedy("keep to the limits of HELLO"));
                }
                state.reply.extend_from_slice(frame.payload);
                state.taken += frame.payload.len();
                if head.kind == FrameKind::Done {
                    state.end = Some(Ok(()));
                } else if state.taken >= WINDOW / 2 {
                    let more = u32::try_from(std::mem::take(&mut state.taken)).unwrap_or(u32::MAX);
                    self.write(Prefix::new(FrameKind::Credit, head.instance, head.id).value(more), &[], &[]);
                }
            }
        }
        ask.bell.notify_all();
        Ok(())
    }

    /// Has the requests of an instance look whether their call was given up.
    pub(super) fn wake_asks(&self, instance: u16) {
        for ask in lock(&self.asks).values().filter(|ask| ask.instance == instance) {
            ask.bell.notify_all();
        }
    }
}
