//! One connection, between the WebSocket and the wire: what the plugin sends goes into the wire, what the kernel sends
//! comes out of it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use midplane_contract::{Code, Error, Result};
use midplane_runtime_wire::Elsewhere;
use rustix::event::EventfdFlags;

use crate::socket::{Closing, Outlet};

/// Bytes of the wire in one WebSocket message at most.
const PIECE: usize = 256 * 1024;
/// How long the other side has to answer that the connection is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// One plugin's connection.
pub(crate) struct Link {
    pub(crate) outlet: Arc<dyn Outlet>,
    /// This side's end of the wire.
    wire: UnixStream,
    /// Becomes readable when the plugin is gone.
    gone: OwnedFd,
    end: Mutex<End>,
    /// Whether the host is stopping: a plugin that is let go then hears so.
    stopping: Arc<AtomicBool>,
    began: Instant,
    /// When something was heard last, in milliseconds after it began.
    heard: AtomicU64,
    busy: AtomicBool,
    pings: AtomicU64,
    /// When the last answer to a ping came, in milliseconds since 1970; 0 before the first.
    last_ping: AtomicU64,
    pub(crate) checking: AtomicBool,
}

#[derive(Default)]
struct End {
    reason: Option<String>,
    closed: Option<Instant>,
    /// The plugin has been taken over, well or badly.
    entered: bool,
    /// The kernel let it go before that; why is not known yet.
    deferred: bool,
}

impl Link {
    /// Makes a link, and the kernel's end of its wire.
    ///
    /// # Errors
    /// `io` when the system gives no descriptors.
    pub(crate) fn new(outlet: Arc<dyn Outlet>, stopping: Arc<AtomicBool>) -> Result<(Arc<Self>, UnixStream)> {
        let open = || -> io::Result<(UnixStream, UnixStream, OwnedFd)> {
            let (ours, theirs) = UnixStream::pair()?;
            let gone = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok((ours, theirs, gone))
        };
        let (wire, theirs, gone) = open().map_err(|error| {
            Error::new(Code::Io, format!("no descriptors for a plugin's connection: {error}"))
                .remedy("allow the host more descriptors")
        })?;
        let link = Self {
            outlet,
            wire,
            gone,
            end: Mutex::default(),
            stopping,
            began: Instant::now(),
            heard: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            pings: AtomicU64::new(0),
            last_ping: AtomicU64::new(0),
            checking: AtomicBool::new(false),
        };
        Ok((Arc::new(link), theirs))
    }

    /// Hands bytes of the plugin to the kernel; waits while the kernel takes none.
    ///
    /// # Errors
    /// When the kernel has ended the connection.
    pub(crate) fn deliver(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.wire).write_all(bytes)
    }

    /// Reads what the kernel sends; 0 bytes at the end.
    ///
    /// # Errors
    /// When the wire is broken.
    pub(crate) fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&self.wire).read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Hands what the kernel sends to the plugin, until either ends.
    pub(crate) fn pump(&self) {
        let mut piece = vec![0; PIECE];
        loop {
            match self.receive(&mut piece) {
                Ok(0) | Err(_) => return self.close(&self.goodbye()),
                Ok(count) => {
                    if let Err(error) = self.outlet.binary(piece.get(..count).unwrap_or_default()) {
                        return self.over(&format!("it took no more: {error}"));
                    }
                }
            }
        }
    }

    /// A message of the plugin is being handled: that takes as long as the kernel takes, and is no silence.
    pub(crate) fn busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::SeqCst);
        self.hear(false);
    }

    /// Something was heard of the plugin.
    pub(crate) fn hear(&self, life: bool) {
        self.heard.store(millis(self.began.elapsed()), Ordering::Relaxed);
        if life {
            self.pings.fetch_add(1, Ordering::Relaxed);
            let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
            self.last_ping.store(now, Ordering::Relaxed);
        }
    }

    /// How long nothing was heard.
    pub(crate) fn silence(&self) -> Duration {
        if self.busy.load(Ordering::SeqCst) {
            return Duration::ZERO;
        }
        self.began.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    /// When the plugin last answered a ping or sent one, and how often it did.
    pub(crate) fn pings(&self) -> (Option<Timestamp>, u64) {
        let last = self.last_ping.load(Ordering::Relaxed);
        let at = i64::try_from(last).ok().filter(|at| *at > 0).and_then(|at| Timestamp::from_millisecond(at).ok());
        (at, self.pings.load(Ordering::Relaxed))
    }

    /// Ends the connection from this side, unless it has ended.
    pub(crate) fn close(&self, closing: &Closing) {
        let first = {
            let mut end = self.end();
            let first = end.reason.is_none();
            if first {
                end.reason = Some(closing.reason.clone());
                end.deferred = !end.entered && *closing == Closing::done();
                end.closed = (!end.deferred).then(Instant::now);
            }
            (first, end.deferred)
        };
        if let (true, deferred) = first {
            if !deferred {
                self.outlet.close(closing);
            }
            self.announce();
        }
    }

    /// What a plugin hears that did nothing wrong.
    pub(crate) fn goodbye(&self) -> Closing {
        match self.stopping.load(Ordering::SeqCst) {
            true => Closing::stopping(),
            false => Closing::done(),
        }
    }

    /// Why it ended, once it has and that is known.
    pub(crate) fn reason(&self) -> Option<String> {
        let end = self.end();
        end.reason.clone().filter(|_| !end.deferred)
    }

    /// The kernel has taken the plugin over, or has not and says why: that is then what the plugin is told, although the
    /// kernel let go of it before.
    pub(crate) fn entered(&self, failure: Option<&Error>) {
        let deferred = {
            let mut end = self.end();
            end.entered = true;
            std::mem::take(&mut end.deferred)
        };
        let closing = failure.map_or_else(Closing::done, Closing::of);
        if deferred {
            let mut end = self.end();
            end.reason = Some(closing.reason.clone());
            end.closed = Some(Instant::now());
            drop(end);
            self.outlet.close(&closing);
        } else if failure.is_some() {
            self.close(&closing);
        }
    }

    /// The other side has ended the connection, or it broke.
    pub(crate) fn over(&self, reason: &str) {
        self.end().reason.get_or_insert_with(|| reason.to_owned());
        self.outlet.destroy();
        self.announce();
    }

    /// It never began: nobody is told, and whoever reads the WebSocket goes on.
    pub(crate) fn fade(&self, reason: &str) {
        self.end().reason.get_or_insert_with(|| reason.to_owned());
        self.announce();
    }

    /// Whether it has ended, as far as the plugin is concerned.
    pub(crate) fn is_over(&self) -> bool {
        self.end().reason.is_some()
    }

    /// Breaks the connection of a plugin that was told that it is closed and does not answer that.
    pub(crate) fn insist(&self) {
        let late = self.end().closed.is_some_and(|closed| closed.elapsed() > FAREWELL);
        if late {
            self.outlet.destroy();
        }
    }

    fn announce(&self) {
        let _ = rustix::io::write(&self.gone, &1_u64.to_ne_bytes());
        // The kernel may have ended its side before.
        let _ = self.wire.shutdown(Shutdown::Both);
    }

    fn end(&self) -> std::sync::MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Elsewhere for Link {
    fn gone(&self) -> BorrowedFd<'_> {
        self.gone.as_fd()
    }

    fn cut(&self, why: Option<&Error>) {
        self.close(&why.map_or_else(|| self.goodbye(), Closing::of));
    }

    fn last_words(&self) -> String {
        self.end().reason.clone().unwrap_or_default()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
