//! What the plugin asks of the host: collected from frames, answered from a thread of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::frame::{Frame, FrameKind, Prefix, WINDOW, flag, message};
use midplane_contract::{Code, Error, HostFunction, Result, defaults};
use midplane_kernel::{Host, HostRequest, Scope, Within};

use super::Connection;
use crate::desk;

/// Requests of one plugin to the host at once.
const ASKS: usize = 256;
/// How long a plugin may leave an answer lying before the host gives up.
const UNREAD: Duration = Duration::from_secs(30);

/// All requests to the host that are under way.
#[derive(Default)]
pub(crate) struct Asks {
    all: Mutex<HashMap<(u16, u32), Arc<Ask>>>,
    /// How many answers wait for credit.
    stalled: AtomicUsize,
}

/// One request to the host.
pub(crate) struct Ask(Mutex<AskState>);

struct AskState {
    head: Prefix,
    args: String,
    payload: Vec<u8>,
    /// Bytes that the peer has been allowed and has not sent.
    room: usize,
    /// Whether all of it has come and the kernel has it.
    whole: bool,
    /// Bytes of the answer that may still be sent.
    credit: usize,
    answer: Option<Answer>,
}

/// An answer on its way.
struct Answer {
    bytes: Vec<u8>,
    sent: usize,
    /// Since when the peer has given no credit for it.
    stalled: Option<Instant>,
}

impl Ask {
    fn lock(&self) -> MutexGuard<'_, AskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asks {
    fn lock(&self) -> MutexGuard<'_, HashMap<(u16, u32), Arc<Ask>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everything go that waits for the peer.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Drops answers that nobody takes; says when to look again.
    pub(super) fn drop_unread(&self, now: Instant) -> Option<Instant> {
        if self.stalled.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let mut next: Option<Instant> = None;
        self.lock().retain(|_, ask| {
            let state = ask.lock();
            let Some(since) = state.answer.as_ref().and_then(|answer| answer.stalled) else { return true };
            let until = since + UNREAD;
            if now >= until {
                self.stalled.fetch_sub(1, Ordering::SeqCst);
                return false;
            }
            next = Some(next.map_or(until, |next| next.min(until)));
            true
        });
        next
    }
}

impl Connection {
    /// Takes a `HOST` frame, or a frame that belongs to one.
    pub(super) fn on_ask(self: &Arc<Self>, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let key = (head.instance, head.id);
        if head.kind == FrameKind::Host {
            return self.open_ask(frame);
        }
        let Some(ask) = self.asks.lock().get(&key).cloned() else { return Ok(()) };
        let mut state = ask.lock();
        match head.kind {
            FrameKind::Credit => {
                state.credit = state.credit.saturating_add(head.value as usize);
                if self.send_on(key, &mut state) {
                    drop(state);
                    self.asks.lock().remove(&key);
                }
            }
            FrameKind::Cancel if !state.whole => {
                drop(state);
                self.asks.lock().remove(&key);
                return self.refuse(head, &taken_back());
            }
            FrameKind::Data => {
                let size = frame.payload.len();
                state.room = state.room.checked_sub(size).ok_or_else(|| {
                    Error::new(Code::ProtocolError, "a HOST request brings more bytes than it was allowed")
                        .remedy("the peer must wait for CREDIT; see contract/wire.md")
                })?;
                if state.payload.len() + size > defaults::PAYLOAD_CAP {
                    drop(state);
                    self.asks.lock().remove(&key);
                    return self.refuse(head, &too_large());
                }
                state.payload.extend_from_slice(frame.payload);
                if head.more() {
                    grant_ask(self, &mut state, head);
                } else {
                    drop(state);
                    self.hand_over(key, &ask);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open_ask(self: &Arc<Self>, frame: &Frame<'_>) -> Result<()> {
        let head = frame.prefix;
        let Ok(args) = std::str::from_utf8(frame.header) else {
            let message = "the arguments of a HOST request are not UTF-8";
            return Err(Error::new(Code::ProtocolError, message).remedy("send a JSON object"));
        };
        let room = WINDOW.saturating_sub(frame.payload.len());
        let credit = self.peer_limits().window;
        let (args, payload) = (args.to_owned(), frame.payload.to_vec());
        let state = AskState { head, args, payload, room, whole: false, credit, answer: None };
        let ask = Arc::new(Ask(Mutex::new(state)));
        let mut asks = self.asks.lock();
        if asks.len() >= ASKS || asks.contains_key(&(head.instance, head.id)) {
            drop(asks);
            let message = format!("{ASKS} requests to the host are under way");
            return self.refuse(head, &Error::new(Code::Overloaded, message).remedy("wait for answers first"));
        }
        asks.insert((head.instance, head.id), Arc::clone(&ask));
        drop(asks);
        if !head.more() {
            self.hand_over((head.instance, head.id), &ask);
        }
        Ok(())
    }

    fn refuse(&self, head: Prefix, error: &Error) -> Result<()> {
        self.answer_unasked(
            Prefix::new(FrameKind::Error, head.instance, head.id),
            &message::write_error(error, 16 * 1024),
        )
    }

    /// Gives a complete request to a thread that asks the kernel and sends the answer.
    fn hand_over(self: &Arc<Self>, key: (u16, u32), ask: &Arc<Ask>) {
        ask.lock().whole = true;
        let connection = Arc::clone(self);
        let ask = Arc::clone(ask);
        // The scope is the host's own record of the call, taken now: what the peer says about it does not count.
        let (host, scope, action) = match self.lane(key.0) {
            Some(lane) => {
                let state = lane.lock();
                if state.live == 0 {
                    (lane.host.clone(), Scope::default(), None)
                } else {
                    (lane.host.clone(), state.scope.clone(), state.action)
                }
            }
            None => (None, Scope::default(), None),
        };
        desk::submit(move || {
            let action = action.and_then(|number| connection.action_name(number));
            let within = Within { scope: &scope, action: action.as_deref() };
            let (function, args, payload) = {
                let mut state = ask.lock();
                (state.head.value, std::mem::take(&mut state.args), std::mem::take(&mut state.payload))
            };
            match ask_host(host.as_deref(), &within, function, &args, &payload) {
                Ok(bytes) => connection.answer_ask(key, &ask, bytes),
                Err(error) => {
                    let json = message::write_error(&error, connection.peer_limits().chunk);
                    connection.send(Prefix::new(FrameKind::Error, key.0, key.1), &[], &json);
                    connection.asks.lock().remove(&key);
                }
            }
        });
    }

    fn answer_ask(&self, key: (u16, u32), ask: &Ask, bytes: Vec<u8>) {
        let mut state = ask.lock();
        state.answer = Some(Answer { bytes, sent: 0, stalled: None });
        let over = self.send_on(key, &mut state);
        drop(state);
        if over {
            self.asks.lock().remove(&key);
        } else {
            self.reactor.attend(self);
        }
    }

    /// Sends what there is credit for of an answer; whether that was the end of it.
    fn send_on(&self, key: (u16, u32), state: &mut AskState) -> bool {
        let AskState { credit, answer: Some(answer), .. } = state else { return false };
        loop {
            let rest = answer.bytes.get(answer.sent..).unwrap_or_default();
            let (piece, after) = rest.split_at(rest.len().min(*credit).min(self.peer_limits().chunk));
            let stalls = piece.is_empty() && !after.is_empty();
            match (stalls, answer.stalled.is_some()) {
                (true, false) => {
                    self.asks.stalled.fetch_add(1, Ordering::SeqCst);
                    answer.stalled = Some(Instant::now());
                }
                (false, true) => {
                    self.asks.stalled.fetch_sub(1, Ordering::SeqCst);
                    answer.stalled = None;
                }
                _ => {}
            }
            if stalls {
                return false;
            }
            let last = after.is_empty();
            let (kind, flags) = if last { (FrameKind::Done, 0) } else { (FrameKind::Data, flag::MORE) };
            self.send(Prefix::new(kind, key.0, key.1).flags(flags), &[], piece);
            *credit -= piece.len();
            answer.sent += piece.len();
            if last {
                return true;
            }
        }
    }
}

fn grant_ask(connection: &Connection, state: &mut AskState, head: Prefix) {
    let used = WINDOW - state.room;
    if used >= WINDOW / 2 {
        state.room = WINDOW;
        let more = u32::try_from(used).unwrap_or(u32::MAX);
        connection.send(Prefix::new(FrameKind::Credit, head.instance, head.id).value(more), &[], &[]);
    }
}

fn ask_host(host: Option<&dyn Host>, within: &Within<'_>, number: u32, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
    let Some(function) = HostFunction::ALL.get(number as usize).copied() else {
        let message = format!("the host API has no function {number}");
        return Err(Error::new(Code::NotSupported, message).remedy("see the table of functions in contract/wire.md"));
    };
    let Some(host) = host else {
        let message = format!("{function} is for instances, and there is none of that number");
        return Err(Error::new(Code::NotSupported, message).remedy("ask from within an instance"));
    };
    host.request(within, &HostRequest { function, args, payload })
}

fn taken_back() -> Error {
    Error::new(Code::Cancelled, "the request was taken back before it had come in full").remedy("ask again if need be")
}

fn too_large() -> Error {
    let message = format!("a request to the host brings more than {} bytes", defaults::PAYLOAD_CAP);
    Error::new(Code::LimitExceeded, message).remedy("send less at once").with("which", "payload")
}
