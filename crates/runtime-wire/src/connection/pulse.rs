//! Whether the peer answers pings, and when it last did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use midplane_contract::frame::{CONNECTION, FrameKind, Prefix};
use midplane_contract::{Code, Error, Result, defaults};
use serde_json::{Map, Value, json};

use super::Connection;

/// The id of heartbeats: nothing else of the host's on instance 65,535 counts up to it.
const BEAT: u32 = u32::MAX;

/// The pings of one connection.
pub(crate) struct Pulse {
    began: Timestamp,
    /// Time between two heartbeats; unset means that there are none.
    interval: OnceLock<Duration>,
    beat: Mutex<Beat>,
    /// Answers so far.
    pings: AtomicU64,
    /// When the last one came, in milliseconds since 1970; 0 before the first.
    last: AtomicU64,
}

#[derive(Default)]
struct Beat {
    next: Option<Instant>,
    /// Since when an answer is owed.
    waiting: Option<Instant>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            began: Timestamp::now(),
            interval: OnceLock::new(),
            beat: Mutex::default(),
            pings: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }
}

impl Pulse {
    /// An answer to a ping came.
    pub(super) fn heard(&self) {
        self.pings.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        self.last.store(now, Ordering::Relaxed);
        self.beat.lock().unwrap_or_else(PoisonError::into_inner).waiting = None;
    }
}

impl Connection {
    /// Pings the peer from now on; one that does not answer in time is ended.
    pub(crate) fn beat_every(self: &Arc<Self>, interval: Duration) {
        let interval = interval.max(Duration::from_millis(1));
        if self.pulse.interval.set(interval).is_ok() {
            self.pulse.beat.lock().unwrap_or_else(PoisonError::into_inner).next = Some(Instant::now());
            self.reactor.attend(self);
        }
    }

    /// Sends the heartbeat that is due; says when to look again.
    ///
    /// # Errors
    /// `deadline_exceeded` when the last one was not answered in time.
    pub(super) fn beat(&self, now: Instant) -> Result<Option<Instant>> {
        let Some(interval) = self.pulse.interval.get().copied() else { return Ok(None) };
        let patience = interval.max(defaults::PROBE_DEADLINE);
        let mut beat = self.pulse.beat.lock().unwrap_or_else(PoisonError::into_inner);
        let due = beat.next.is_none_or(|next| now >= next);
        match beat.waiting {
            Some(since) if now >= since + patience => {
                let message = format!("the process has not answered a ping for {} ms", patience.as_millis());
                Err(Error::new(Code::DeadlineExceeded, message)
                    .remedy("whoever reads the wire has to answer PING at once, also during calls"))
            }
            None if due => {
                beat.waiting = Some(now);
                beat.next = Some(now + interval);
                drop(beat);
                self.send(Prefix::new(FrameKind::Ping, CONNECTION, BEAT), &[], &[]);
                self.have_it_read();
                Ok(Some(now + interval.min(patience)))
            }
            // The next is due, and the last one still under way: a look at every interval sees both.
            Some(since) if due => Ok(Some((now + interval).min(since + patience))),
            _ => Ok(beat.next),
        }
    }

    /// The process and its pings, as people are shown them. `name` is how its id begins.
    pub(crate) fn describe(&self, name: &str) -> Map<String, Value> {
        let pid = self.process.pid();
        let mut shown = Map::new();
        shown.insert("id".to_owned(), format!("{name}-{pid}").into());
        shown.insert("pid".to_owned(), pid.into());
        shown.insert("state".to_owned(), self.process_state().into());
        shown.insert("started_at".to_owned(), self.pulse.began.to_string().into());
        let last = i64::try_from(self.pulse.last.load(Ordering::Relaxed)).ok().filter(|last| *last > 0);
        let last = last.and_then(|last| Timestamp::from_millisecond(last).ok()).map(|last| last.to_string());
        shown.insert("last_ping".to_owned(), json!(last));
        shown.insert("pings".to_owned(), self.pulse.pings.load(Ordering::Relaxed).into());
        shown
    }

    fn process_state(&self) -> &'static str {
        let stopping = self.stopping.load(Ordering::SeqCst);
        match self.fate() {
            Some(_) if stopping => "stopped",
            Some(_) => "error",
            None if stopping => "stopping",
            None if self.actions.get().is_some() => "running",
            None => "starting",
        }
    }
}
