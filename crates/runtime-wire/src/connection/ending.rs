//! What is given up, what is due, and what became of the connection.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::frame::{CONNECTION, FrameKind, Prefix};
use midplane_contract::{Code, Error};

use super::inbound::Read;
use super::{Connection, Grace, Lane};
use crate::{desk, fault};

/// Time between two looks at a connection whose callers read for themselves.
const LOOK: Duration = Duration::from_millis(2);
/// Time that a process gets to end after its wire has.
const LAST_BREATH: Duration = Duration::from_millis(500);

/// Time that a guest gets to end a request that was given up: a network lies between, and it cannot be started anew.
const AFAR: Duration = Duration::from_secs(2);

/// How long whoever waits for the end of a given-up request waits between two looks.
const SETTLE_LOOK: Duration = Duration::from_millis(20);

impl Connection {
    /// Looks after what no event announces. Returns when to look again.
    pub(crate) fn attend(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut next = None;
        let mut again = |at: Instant| next = Some(next.map_or(at, |n: Instant| n.min(at)));
        if self.fate.get().is_some() {
            return None;
        }
        let ended = *self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = ended {
            if now >= ended + LAST_BREATH {
                self.process.kill(None);
            } else {
                again(ended + LAST_BREATH);
            }
        } else if !self.armed.load(Ordering::SeqCst) {
            let reads = self.own_reads.load(Ordering::Relaxed);
            let quiet = self.seen_reads.swap(reads, Ordering::Relaxed) == reads;
            if quiet && self.inbound.try_lock().is_ok() {
                self.have_it_read();
            } else {
                again(now + LOOK);
            }
        }
        match self.beat(now) {
            Ok(at) => at.into_iter().chain(self.asks.drop_unread(now)).for_each(&mut again),
            Err(silence) => {
                self.end(silence);
                return None;
            }
        }
        let graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        let late = graces.iter().find(|grace| now >= grace.until).map(|grace| grace.cause.clone());
        if let Some(first) = graces.iter().map(|grace| grace.until).min() {
            again(first);
        }
        drop(graces);
        if let Some(cause) = late {
            self.end(cause);
            return None;
        }
        next
    }

    /// Gives a request up. The peer has `grace` to end it, then it is killed; a guest has longer, and is cut off. Nothing
    /// happens when the end has come already.
    pub(crate) fn cancel(&self, lane: &Lane, id: u32, grace: Duration, why: &Error) {
        let instance = lane.number;
        let (what, grace) = match self.process.guest() {
            Some(_) => ("the plugin did", AFAR),
            None => ("the worker was killed: it did", grace),
        };
        let cause = unmoved(what, grace, why);
        // Held until the grace is noted: an end that comes meanwhile takes it back, and no end comes after this one.
        let state = lane.lock();
        if state.has_ended(id) {
            return;
        }
        let mut graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fate.get().is_some() || graces.iter().any(|g| (g.instance, g.id) == (instance, id)) {
            return;
        }
        graces.push(Grace { instance, id, until: Instant::now() + grace, cause });
        self.in_grace.store(graces.len(), Ordering::SeqCst);
        drop(graces);
        drop(state);
        self.send(Prefix::new(FrameKind::Cancel, instance, id), &[], &[]);
        self.have_it_read();
        self.reactor.attend(self);
        if let Some(host) = &lane.host {
            host.interrupted();
        }
    }

    /// Cancels a request again that was given up while its first frame was about to leave: a peer that reads the
    /// `CANCEL` first does not know the request yet.
    pub(crate) fn cancel_again(&self, lane: &Lane, id: u32) {
        if self.in_grace.load(Ordering::SeqCst) == 0 {
            return;
        }
        let graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = graces.iter().any(|grace| (grace.instance, grace.id) == (lane.number, id));
        drop(graces);
        if given_up {
            self.send(Prefix::new(FrameKind::Cancel, lane.number, id), &[], &[]);
        }
    }

    pub(super) fn grace_over(&self, instance: u16, id: u32) {
        if self.in_grace.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        graces.retain(|grace| (grace.instance, grace.id) != (instance, id));
        self.in_grace.store(graces.len(), Ordering::SeqCst);
        drop(graces);
        self.grace_ended.notify_all();
    }

    /// Whether a request of this instance was given up and has not ended yet.
    pub(crate) fn settles(&self, instance: u16) -> bool {
        let any = || self.graces.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|g| g.instance == instance);
        self.in_grace.load(Ordering::SeqCst) != 0 && self.fate.get().is_none() && any()
    }

    /// The instances with such requests.
    fn given_up(&self) -> Vec<u16> {
        self.graces.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|grace| grace.instance).collect()
    }

    /// Waits until that is over: the peer ends the request, or is ended.
    pub(crate) fn settle(&self, instance: u16) {
        let mut graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        while self.fate.get().is_none() && graces.iter().any(|grace| grace.instance == instance) {
            // The end of the process wakes nobody here, so this also looks by itself.
            let waited = self.grace_ended.wait_timeout(graces, SETTLE_LOOK);
            graces = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says why this side ends the connection; the first reason counts.
    pub(crate) fn blame(&self, cause: Error) {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }

    /// Ends the connection and its process, for this reason.
    pub(crate) fn end(&self, cause: Error) {
        self.blame(cause.clone());
        self.process.kill(Some(&cause));
    }

    /// Ends a connection that nobody looks after.
    pub(crate) fn abandon(&self, cause: &Error) {
        self.process.reap();
        let _ = self.fate.set(cause.clone());
    }

    /// Asks the peer to finish. What follows is its wish, not a crash.
    pub(crate) fn shut_down(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.process.remember_descendants();
        self.send(Prefix::new(FrameKind::Shutdown, CONNECTION, 0), &[], &[]);
    }

    /// The carrier has ended; the process follows or is made to.
    pub(super) fn on_eof(&self) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.reactor.forget_carrier(self);
        self.reactor.attend(self);
    }

    /// What became of the connection; `None` while it lives.
    pub(crate) fn fate(&self) -> Option<&Error> {
        self.fate.get()
    }

    /// The process has ended: hands out what it still said, then tells everybody.
    pub(crate) fn on_exit(self: &Arc<Self>) {
        self.process.reap();
        self.carrier.close();
        {
            let mut inbound = self.inbound.lock().unwrap_or_else(PoisonError::into_inner);
            while self.read(&mut inbound, Duration::ZERO) == Read::Something {}
        }
        let verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stopping = self.stopping.load(Ordering::SeqCst);
        let cause = match verdict {
            Some(verdict) => fault::with_last_words(verdict, &self.process),
            None if stopping => Error::new(Code::PeerGone, "the worker was stopped").remedy("load the plugin again"),
            None => fault::crashed(&self.process),
        };
        let _ = self.fate.set(cause.clone());
        let given_up = self.given_up();
        self.asks.clear();
        let (lanes, _) = self.lanes_now();
        for lane in lanes.iter().flatten().chain([&self.control]) {
            let mut state = lane.lock();
            // Whoever gave a request up waits for its end, and sees by itself what has become of the instance.
            let idle = state.live == 0 && !given_up.contains(&lane.number);
            state.finish(Err(cause.clone()));
            let waiter = state.take_waiter();
            drop(state);
            waiter.wake();
            if let (true, false, Some(host)) = (idle, stopping, lane.host.clone()) {
                let cause = self.process.guest().map_or_else(|| cause.clone(), |guest| guest.departure(&cause));
                desk::submit(move || host.lost(cause));
            }
        }
    }
}

/// Why a peer was ended that did not end its request.
fn unmoved(what: &str, grace: Duration, why: &Error) -> Error {
    let (grace, given_up) = (grace.as_millis(), &why.record().message);
    let message = format!("{what} not stop within {grace} ms of being told to ({given_up})");
    Error::new(why.code(), message).remedy("the plugin should return when its call is cancelled")
}
