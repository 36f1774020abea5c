//! What the plugin asks of the host: collected from frames, answered from a thread of its own.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
pub(crate) struct Asks(Mutex<HashMap<(u16, u32), Arc<Ask>>>);

/// One request to the host.
pub(crate) struct Ask {
    state: Mutex<AskState>,
    bell: Condvar,
}

struct AskState {
    head: Prefix,
    args: String,
    payload: Vec<u8>,
    /// Bytes that the peer has been allowed and has not sent.
    room: usize,
    /// Bytes of the answer that may still be sent.
    credit: usize,
}

impl Ask {
    fn lock(&self) -> MutexGuard<'_, AskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asks {
    fn lock(&self) -> MutexGuard<'_, HashMap<(u16, u32), Arc<Ask>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everything go that waits for the peer.
    pub(crate) fn clear(&self) {
        for (_, ask) in self.lock().drain() {
            ask.bell.notify_all();
        }
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
                ask.bell.notify_all();
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
        let state = AskState { head, args: args.to_owned(), payload: frame.payload.to_vec(), room, credit };
        let ask = Arc::new(Ask { state: Mutex::new(state), bell: Condvar::new() });
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
            let result = ask_host(host.as_deref(), &within, function, &args, &payload);
            connection.send_answer(key, &ask, result);
            connection.asks.lock().remove(&key);
        });
    }

    fn send_answer(&self, key: (u16, u32), ask: &Ask, result: Result<Vec<u8>>) {
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(error) => {
                let json = message::write_error(&error, self.peer_limits().chunk);
                return self.send(Prefix::new(FrameKind::Error, key.0, key.1), &[], &json);
            }
        };
        let mut rest = bytes.as_slice();
        loop {
            let Some(credit) = self.answer_credit(ask, rest.len()) else { return };
            let (piece, after) = rest.split_at(rest.len().min(credit).min(self.peer_limits().chunk));
            rest = after;
            let (kind, flags) = if rest.is_empty() { (FrameKind::Done, 0) } else { (FrameKind::Data, flag::MORE) };
            ask.lock().credit -= piece.len();
            self.send(Prefix::new(kind, key.0, key.1).flags(flags), &[], piece);
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Waits until something of an answer may be sent; `None` when nobody will read it.
    fn answer_credit(&self, ask: &Ask, wanted: usize) -> Option<usize> {
        let until = Instant::now() + UNREAD;
        let mut state = ask.lock();
        while wanted > 0 && state.credit == 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.fate().is_some() {
                return None;
            }
            state = ask.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(state.credit)
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

fn too_large() -> Error {
    let message = format!("a request to the host brings more than {} bytes", defaults::PAYLOAD_CAP);
    Error::new(Code::LimitExceeded, message).remedy("send less at once").with("which", "payload")
}
