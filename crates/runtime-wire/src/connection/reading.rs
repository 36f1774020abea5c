//! Who reads: the reactor, or a caller that is alone and waits anyway.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::inbound::Read;
use super::lane::Lane;
use super::{Connection, Inbound};

/// Reads that bring something after which the clock is read all the same.
const FLOOD: u32 = 32;

impl Connection {
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
        self.own_reads.fetch_add(1, Ordering::Relaxed);
        self.look(&mut inbound, lane);
        // The socket's timeout is in ticks, so the clock is read once per tick, not per call; and now and then while
        // the peer floods.
        let mut reads = 0_u32;
        let mut left = until.saturating_duration_since(Instant::now());
        while !left.is_zero() && !lane.lock().news() {
            self.own_reads.fetch_add(1, Ordering::Relaxed);
            match self.read(&mut inbound, left) {
                Read::Something if reads % FLOOD != FLOOD - 1 => reads += 1,
                Read::Something | Read::Nothing => {
                    reads = 0;
                    left = until.saturating_duration_since(Instant::now());
                }
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

    /// Reads without sleeping for a moment, where that has paid lately.
    fn look(self: &Arc<Self>, inbound: &mut Inbound, lane: &Lane) {
        let Some(look) = inbound.eagerness.look() else { return };
        while !lane.lock().news() {
            if self.read(inbound, Duration::ZERO) == Read::End || !look.goes_on() {
                return inbound.eagerness.in_vain();
            }
        }
        inbound.eagerness.paid(&look);
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
}
