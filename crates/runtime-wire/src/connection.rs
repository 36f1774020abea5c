//! One peer: its carrier, its process, the lanes of its instances, and what became of it.
//!
//! CONCURRENCY: whoever holds `inbound` reads for everybody. Usually that is the reactor, which polls the carrier
//! (`interest.read`). A caller that is alone on the connection and waits anyway takes the carrier out of the poll and
//! reads for itself, which saves two thread switches per call; when it leaves and others have begun to wait, it puts
//! the carrier back. A connection that has gone quiet is put back by the reactor's next look (`attend`).

mod ask;
mod ending;
mod inbound;
mod lane;
mod outbox;
mod pulse;
mod reading;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use midplane_contract::frame::message::PeerLimits;
use midplane_contract::frame::{CONNECTION, Decoder, MAGIC, Prefix};
use midplane_contract::{ActionName, Code, Error, PluginId, Result};
use midplane_kernel::Host;

use crate::carrier::Carrier;
use crate::eagerness::Eagerness;
use crate::process::Process;
use crate::reactor::Reactor;

use ask::Asks;
pub(crate) use lane::{Lane, Waiter};
use outbox::{Outbox, Sent};
use pulse::Pulse;

/// Requests under way up to which a frame is written at once by whoever sends it.
const DIRECT: usize = 2;

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
    pulse: Pulse,
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
    grace_ended: Condvar,
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
    eagerness: Eagerness,
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
    pub(crate) fn new(
        reactor: &'static Reactor,
        plugin: PluginId,
        carrier: Box<dyn Carrier>,
        process: Process,
    ) -> Arc<Self> {
        let inbound = Inbound {
            decoder: Decoder::default(),
            eagerness: Eagerness::default(),
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
            pulse: Pulse::default(),
            limits: OnceLock::new(),
            peer: OnceLock::new(),
            actions: OnceLock::new(),
            in_flight: AtomicUsize::new(0),
            own_reads: AtomicU64::new(0),
            seen_reads: AtomicU64::new(0),
            interest: Mutex::new(Interest { read: true, write: false }),
            armed: AtomicBool::new(true),
            graces: Mutex::new(Vec::new()),
            grace_ended: Condvar::new(),
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
}
