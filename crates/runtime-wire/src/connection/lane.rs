//! One instance's end of the wire on the host's side: the request under way and what has come back for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::Thread;

use midplane_contract::frame::WINDOW;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::{Host, Scope};

/// Carries one request at a time. Answers to requests that were given up are dropped.
pub(crate) struct Lane {
    /// The instance's number.
    pub(crate) number: u16,
    /// The kernel's side of the instance, where there is one.
    pub(crate) host: Option<Arc<dyn Host>>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    last_id: u32,
    /// The request under way; 0 when there is none.
    pub(crate) live: u32,
    /// How it ended. `Ok(true)` says that there is no such hook.
    pub(crate) end: Option<Result<bool>>,
    /// Whether the end of the last request has come, taken or not.
    over: bool,
    /// What has come back and was not taken yet, and the lengths of its pieces.
    pub(crate) inbox: Vec<u8>,
    pub(crate) pieces: VecDeque<usize>,
    /// Bytes that the peer may still send for it.
    pub(crate) room: usize,
    /// Bytes that may still be sent for it.
    pub(crate) credit: usize,
    /// Whether the one who waits could send more if there were credit.
    pub(crate) starved: bool,
    waiter: Waiter,
    /// Why the instance is good for nothing more.
    pub(crate) spent: Option<Error>,
    /// On whose behalf, and for which action.
    pub(crate) scope: Scope,
    pub(crate) action: Option<u32>,
}

/// Who wants to know that something came.
#[derive(Default)]
pub(crate) enum Waiter {
    #[default]
    Nobody,
    Task(Waker),
    Thread(Thread),
}

impl Waiter {
    pub(crate) fn wake(self) {
        match self {
            Self::Nobody => {}
            Self::Task(waker) => waker.wake(),
            Self::Thread(thread) => thread.unpark(),
        }
    }
}

impl Lane {
    pub(crate) fn new(number: u16, host: Option<Arc<dyn Host>>) -> Arc<Self> {
        Arc::new(Self { number, host, state: Mutex::new(State::default()) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Begins a request. What was left of the one before is forgotten.
    pub(crate) fn begin(&mut self, scope: &Scope, action: Option<u32>, credit: usize) -> u32 {
        self.last_id = self.last_id.wrapping_add(2) | 1;
        self.live = self.last_id;
        self.end = None;
        self.over = false;
        self.inbox.clear();
        self.pieces.clear();
        self.room = WINDOW;
        self.credit = credit;
        self.starved = false;
        self.waiter = Waiter::Nobody;
        self.scope.clone_from(scope);
        self.action = action;
        self.live
    }

    /// Takes a piece of the answer.
    ///
    /// # Errors
    /// `protocol_error` when it is more than was allowed, or when nothing comes.
    pub(crate) fn piece(&mut self, payload: &[u8], last: bool) -> Result<()> {
        if payload.is_empty() && !last {
            return Err(Error::new(Code::ProtocolError, "a piece of an answer is empty")
                .remedy("a DATA frame with MORE carries at least one byte"));
        }
        let Some(room) = self.room.checked_sub(payload.len()) else {
            let message =
                format!("an answer brings {} bytes where {} are allowed before CREDIT", payload.len(), self.room);
            return Err(
                Error::new(Code::ProtocolError, message).remedy("the peer must wait for CREDIT; see contract/wire.md")
            );
        };
        self.room = room;
        if !payload.is_empty() {
            self.inbox.extend_from_slice(payload);
            self.pieces.push_back(payload.len());
        }
        Ok(())
    }

    /// Ends the request.
    pub(crate) fn finish(&mut self, end: Result<bool>) {
        self.over = true;
        if self.end.is_none() {
            self.end = Some(end);
        }
    }

    /// Whether the request of this number is over.
    pub(crate) fn has_ended(&self, id: u32) -> bool {
        self.last_id != id || self.over
    }

    pub(crate) fn wait(&mut self, waiter: impl FnOnce() -> Waiter, current: Option<&Waker>) {
        let same = matches!((&self.waiter, current), (Waiter::Task(old), Some(new)) if old.will_wake(new));
        if !same {
            self.waiter = waiter();
        }
    }

    pub(crate) fn take_waiter(&mut self) -> Waiter {
        std::mem::take(&mut self.waiter)
    }

    /// Whether there is something for the one who waits.
    pub(crate) fn news(&self) -> bool {
        self.end.is_some() || !self.pieces.is_empty() || (self.starved && self.credit > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_not_outrun_its_credit() {
        let mut state = State::default();
        state.begin(&Scope::default(), None, WINDOW);
        let piece = vec![0; WINDOW / 4];
        for _ in 0..4 {
            state.piece(&piece, false).unwrap();
        }
        let error = state.piece(b"x", true).unwrap_err();
        assert_eq!(error.code(), Code::ProtocolError);
        assert!(error.record().message.contains("before CREDIT"), "{error}");
    }

    #[test]
    fn a_request_has_ended_from_its_end_on_and_when_another_has_begun() {
        let mut state = State::default();
        let first = state.begin(&Scope::default(), None, 0);
        assert!(!state.has_ended(first));
        state.finish(Ok(false));
        // Whoever waited has taken the end.
        state.end = None;
        assert!(state.has_ended(first));
        let second = state.begin(&Scope::default(), None, 0);
        assert!(state.has_ended(first) && !state.has_ended(second));
    }

    #[test]
    fn ids_of_the_host_are_odd_and_never_zero() {
        let mut state = State { last_id: u32::MAX - 2, ..State::default() };
        for _ in 0..4 {
            let id = state.begin(&Scope::default(), None, 0);
            assert!(id % 2 == 1 && id == state.live);
        }
    }
}
