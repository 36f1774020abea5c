//! One peer: its carrier, its process, the lanes of its instances, and what became of it.
//!
//! CONCURRENCY: whoever holds `inbound` reads for everybody. Usually that is the reactor, which polls the carrier
//! (`interest.read`). A caller that is alone on the connection and waits anyway takes the carrier out of the poll and
//! reads for itself, which saves two thread switches per call; when it leaves and others have begun to wait, it puts
//! the carrier back. A connection that has gone quiet is put back by the reactor's next look (`attend`).

mod ask;
mod inbound;
mod lane;
mod outbox;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use midplane_contract::frame::message::PeerLimits;
use midplane_contract::frame::{CONNECTION, Decoder, FrameKind, MAGIC, Prefix};
use midplane_contract::{ActionName, Code, Error, PluginId, Result};
use midplane_kernel::Host;

use crate::carrier::Carrier;
use crate::process::Process;
use crate::reactor::Reactor;
use crate::{desk, fault};

use ask::Asks;
pub(crate) use inbound::Read;
pub(crate) use lane::{Lane, Waiter};
use outbox::{Outbox, Sent};

/// Requests under way up to which a frame is written at once by whoever sends it.
const DIRECT: usize = 2;
/// Time between two looks at a connection whose callers read for themselves.
const LOOK: Duration = Duration::from_millis(2);
/// Time that a process gets to end after its wire has.
const LAST_BREATH: Duration = Duration::from_millis(500);

type Lanes = Vec<Option<Arc<Lane>>>;

pub(crate) struct Connection {
    reactor: &'static Reactor,
    pub(crate) plugin: PluginId,
    pub(crate) carrier: Box<dyn Carrier>,
    pub(crate) process: Process,
    /// The lane of requests that concern no instance.
    pub(crate) control: Arc<Lane>,
    outbox: Outbox,
    inbound: Mutex<Inbound>,
    lanes: RwLock<Lanes>,
    lanes_version: AtomicU64,
    asks: Asks,
    limits: OnceLock<PeerLimits>,
    peer: OnceLock<String>,
    actions: OnceLock<Vec<ActionName>>,
    /// Requests under way.
    in_flight: AtomicUsize,
    /// Frames read by callers for themselves; tells whether the connection has gone quiet.
    own_reads: AtomicU64,
    seen_reads: AtomicU64,
    interest: Mutex<Interest>,
    /// Mirrors `interest.read` for a look without the lock.
    armed: AtomicBool,
    graces: Mutex<Vec<Grace>>,
    in_grace: AtomicUsize,
    /// Why the connection is being ended, if that was this side's decision.
    verdict: Mutex<Option<Error>>,
    ended: Mutex<Option<Instant>>,
    stopping: AtomicBool,
    fate: OnceLock<Error>,
    /// Whether the reactor has it on its list for flushing or for a look.
    pub(crate) dirty: AtomicBool,
    pub(crate) attended: AtomicBool,
    pub(crate) token: AtomicU64,
}

pub(crate) struct Inbound {
    decoder: Decoder,
    woken: Vec<Waiter>,
    greeted: bool,
    ended: bool,
    lanes: Lanes,
    lanes_version: u64,
}

/// What the reactor polls the carrier for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// A request that was given up and whose end the peer still owes.
struct Grace {
    instance: u16,
    id: u32,
    until: Instant,
    cause: Error,
}

impl Connection {
    pub(crate) fn new(reactor: &'static Reactor, plugin: PluginId, carrier: Box<dyn Carrier>, process: Process) -> Arc<Self> {
        let inbound = Inbound {
            decoder: Decoder::default(),
            woken: Vec::new(),
            greeted: false,
            ended: false,
            lanes: Vec::new(),
            lanes_version: 0,
        };
        Arc::new(Self {
            reactor,
            plugin,
            carrier,
            process,
            control: Lane::new(CONNECTION, None),
            outbox: Outbox::default(),
            inbound: Mutex::new(inbound),
            lanes: RwLock::new(Vec::new()),
            lanes_version: AtomicU64::new(0),
            asks: Asks::default(),
            limits: OnceLock::new(),
            peer: OnceLock::new(),
            actions: OnceLock::new(),
            in_flight: AtomicUsize::new(0),
            own_reads: AtomicU64::new(0),
            seen_reads: AtomicU64::new(0),
            interest: Mutex::new(Interest { read: true, write: false }),
            armed: AtomicBool::new(true),
            graces: Mutex::new(Vec::new()),
            in_grace: AtomicUsize::new(0),
            verdict: Mutex::new(None),
            ended: Mutex::new(None),
            stopping: AtomicBool::new(false),
            fate: OnceLock::new(),
            dirty: AtomicBool::new(false),
            attended: AtomicBool::new(false),
            token: AtomicU64::new(0),
        })
    }

    /// Writes the bytes that come before all frames.
    pub(crate) fn send_magic(self: &Arc<Self>) {
        let sent = self.outbox.send_now(&*self.carrier, [&MAGIC, &[], &[]]);
        self.see_to(sent);
    }

    /// Sends one frame. Never waits. Its lengths are filled in.
    pub(crate) fn send(&self, head: Prefix, header: &[u8], payload: &[u8]) {
        let head = head.sized(header, payload).encode();
        let parts = [&head[..], header, payload];
        let sent = if self.in_flight.load(Ordering::Relaxed) <= DIRECT {
            self.outbox.send_now(&*self.carrier, parts)
        } else {
            self.outbox.enqueue(parts)
        };
        self.see_to(sent);
    }

    fn see_to(&self, sent: Sent) {
        match sent {
            Sent::All => {}
            Sent::Queued => self.reactor.flush_soon(self),
            Sent::Blocked => self.want(|interest| interest.write = self.outbox.is_blocked()),
        }
    }

    /// Writes what is queued, as far as it fits.
    pub(crate) fn flush(&self) {
        self.outbox.flush(&*self.carrier);
        // Asked under the lock of `want`: of two threads that flush at once, the later one knows better.
        self.want(|interest| interest.write = self.outbox.is_blocked());
    }

    fn want(&self, change: impl FnOnce(&mut Interest)) {
        let mut interest = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *interest;
        change(&mut interest);
        if *interest != before {
            self.armed.store(interest.read, Ordering::SeqCst);
            self.reactor.poll_for(self, *interest);
        }
    }

    /// What the peer accepts.
    pub(crate) fn peer_limits(&self) -> PeerLimits {
        self.limits.get().copied().unwrap_or_default()
    }

    /// What the peer calls itself.
    pub(crate) fn peer_name(&self) -> &str {
        self.peer.get().map_or("", String::as_str)
    }

    /// Says which names the actions have, for the host API.
    pub(crate) fn name_actions(&self, actions: Vec<ActionName>) {
        let _ = self.actions.set(actions);
    }

    fn action_name(&self, number: u32) -> Option<String> {
        self.actions.get()?.get(number as usize).map(ToString::to_string)
    }

    /// A request begins.
    pub(crate) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// A request is over.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// Somebody waits without reading: the reactor has to.
    pub(crate) fn have_it_read(&self) {
        if !self.armed.load(Ordering::SeqCst) {
            self.want(|interest| interest.read = true);
        }
    }

    /// Waits until the lane has news or the time is up, reading for everybody if nobody else does.
    pub(crate) fn wait(self: &Arc<Self>, lane: &Lane, until: Instant) {
        let alone = self.in_flight.load(Ordering::SeqCst) <= 1;
        let inbound = if alone { self.inbound.try_lock().ok() } else { None };
        let Some(mut inbound) = inbound else {
            self.have_it_read();
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
            return;
        };
        if self.armed.load(Ordering::SeqCst) && !inbound.ended {
            self.want(|interest| interest.read = false);
            self.reactor.attend(self);
        }
        // The socket's timeout is in ticks, so the clock is read once per tick, not per call.
        let mut left = until.saturating_duration_since(Instant::now());
        while !left.is_zero() && !lane.lock().news() {
            self.own_reads.fetch_add(1, Ordering::Relaxed);
            match self.read(&mut inbound, left) {
                Read::Something => {}
                Read::Nothing => left = until.saturating_duration_since(Instant::now()),
                Read::End => {
                    drop(inbound);
                    std::thread::park_timeout(left);
                    return;
                }
            }
        }
        drop(inbound);
        if self.in_flight.load(Ordering::SeqCst) > 1 {
            self.have_it_read();
        }
    }

    /// The reactor found something to read.
    pub(crate) fn on_readable(self: &Arc<Self>) {
        let mut inbound = match self.inbound.try_lock() {
            Ok(inbound) => inbound,
            Err(_) => {
                // A caller reads. It looks whether others wait after it has let go, so one more try after leaving
                // the poll cannot miss both.
                self.want(|interest| interest.read = false);
                self.reactor.attend(self);
                let Ok(inbound) = self.inbound.try_lock() else { return };
                self.want(|interest| interest.read = true);
                inbound
            }
        };
        // A bounded number of reads, so that one busy peer does not keep the thread from others.
        for _ in 0..16 {
            if self.read(&mut inbound, Duration::ZERO) != Read::Something {
                return;
            }
        }
    }

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
                self.process.kill();
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
        let graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        let late = graces.iter().find(|grace| now >= grace.until).map(|grace| grace.cause.clone());
        if let Some(first) = graces.iter().map(|grace| grace.until).min() {
            again(first);
        }
        drop(graces);
        if let Some(cause) = late {
            self.blame(cause);
            self.process.kill();
            return None;
        }
        next
    }

    /// Gives a request up. The peer has `grace` to end it, then it is killed.
    pub(crate) fn cancel(&self, instance: u16, id: u32, grace: Duration, cause: Error) {
        let mut graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fate.get().is_some() || graces.iter().any(|g| (g.instance, g.id) == (instance, id)) {
            return;
        }
        graces.push(Grace { instance, id, until: Instant::now() + grace, cause });
        self.in_grace.store(graces.len(), Ordering::SeqCst);
        drop(graces);
        self.send(Prefix::new(FrameKind::Cancel, instance, id), &[], &[]);
        self.have_it_read();
        self.reactor.attend(self);
    }

    fn grace_over(&self, instance: u16, id: u32) {
        if self.in_grace.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut graces = self.graces.lock().unwrap_or_else(PoisonError::into_inner);
        graces.retain(|grace| (grace.instance, grace.id) != (instance, id));
        self.in_grace.store(graces.len(), Ordering::SeqCst);
    }

    /// Makes a lane for an instance.
    ///
    /// # Errors
    /// `limit_exceeded` over 65,535 instances, and what ended the connection.
    pub(crate) fn add_lane(&self, number: u32, host: Arc<dyn Host>) -> Result<Arc<Lane>> {
        let number = u16::try_from(number).ok().filter(|n| *n != CONNECTION).ok_or_else(|| {
            Error::new(Code::LimitExceeded, format!("a worker cannot host instance number {number}"))
                .remedy("allow fewer instances")
                .with("which", "instances")
                .with("limit", u64::from(CONNECTION))
        })?;
        if let Some(fate) = self.fate() {
            return Err(fate.clone());
        }
        let lane = Lane::new(number, Some(host));
        self.change_lanes(number, Some(Arc::clone(&lane)));
        Ok(lane)
    }

    pub(crate) fn remove_lane(&self, lane: &Arc<Lane>) {
        self.change_lanes(lane.number, None);
    }

    fn change_lanes(&self, number: u16, lane: Option<Arc<Lane>>) {
        let index = usize::from(number);
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() <= index {
            lanes.resize(index + 1, None);
        }
        if let Some(slot) = lanes.get_mut(index) {
            *slot = lane;
        }
        self.lanes_version.fetch_add(1, Ordering::SeqCst);
    }

    fn lanes_version(&self) -> u64 {
        self.lanes_version.load(Ordering::Acquire)
    }

    fn lanes_now(&self) -> (Lanes, u64) {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        (lanes.clone(), self.lanes_version())
    }

    fn lane(&self, number: u16) -> Option<Arc<Lane>> {
        self.lanes.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(number)).cloned().flatten()
    }

    /// Says why this side ends the connection; the first reason counts.
    pub(crate) fn blame(&self, cause: Error) {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }

    /// Ends the connection and its process, for this reason.
    pub(crate) fn end(&self, cause: Error) {
        self.blame(cause);
        self.process.kill();
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
    fn on_eof(&self) {
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
        self.asks.clear();
        let (lanes, _) = self.lanes_now();
        for lane in lanes.iter().flatten().chain([&self.control]) {
            let mut state = lane.lock();
            let idle = state.live == 0;
            state.finish(Err(cause.clone()));
            let waiter = state.take_waiter();
            drop(state);
            waiter.wake();
            if let (true, false, Some(host)) = (idle, stopping, lane.host.clone()) {
                let cause = cause.clone();
                desk::submit(move || host.lost(cause));
            }
        }
    }
}
