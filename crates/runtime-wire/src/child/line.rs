//! The worker's end of the wire: reading, writing, ending.

use std::collections::HashMap;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use midplane_contract::Error;
use midplane_contract::frame::message::{self, Hello, PeerLimits};
use midplane_contract::frame::{CONNECTION, FrameKind, MAGIC, Prefix};
use midplane_kernel::{Code, Runtime};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::ask::Ask;
use super::crew::Crew;
use super::inbound::Inbound;
use super::seat::Seat;
use crate::eagerness::Look;
use crate::process::descendants;

/// Bytes of replies collected before they are written even though more frames wait.
const BURST: usize = 64 * 1024;

/// Payloads from this size on are written from where they are.
const LARGE: usize = 16 * 1024;

/// Everything a worker has.
pub(super) struct Line {
    socket: UnixStream,
    inbound: Mutex<Inbound>,
    out: Mutex<Vec<u8>>,
    unsent: AtomicBool,
    pub(super) runtimes: Vec<Arc<dyn Runtime>>,
    pub(super) code: OnceLock<Arc<dyn Code>>,
    pub(super) seats: RwLock<Vec<Option<Arc<Seat>>>>,
    pub(super) asks: Mutex<HashMap<u32, Arc<Ask>>>,
    pub(super) last_ask: AtomicU32,
    pub(super) limits: OnceLock<PeerLimits>,
    pub(super) crew: Crew,
}

impl Line {
    pub(super) fn new(socket: UnixStream, runtimes: Vec<Arc<dyn Runtime>>) -> Arc<Self> {
        Arc::new(Self {
            socket,
            inbound: Mutex::new(Inbound::default()),
            out: Mutex::default(),
            unsent: AtomicBool::new(false),
            runtimes,
            code: OnceLock::new(),
            seats: RwLock::default(),
            asks: Mutex::default(),
            last_ask: AtomicU32::new(0),
            limits: OnceLock::new(),
            crew: Crew::default(),
        })
    }

    /// Greets and serves. The process ends here.
    pub(super) fn run(self: &Arc<Self>) -> ! {
        lock(&self.out).extend_from_slice(&MAGIC);
        let hello = Hello::ours(concat!("midplane worker ", env!("CARGO_PKG_VERSION")));
        match serde_json::to_vec(&hello) {
            Ok(hello) => self.write(Prefix::new(FrameKind::Hello, CONNECTION, 0), &hello, &[]),
            Err(error) => self.give_up(&Error::new(midplane_contract::Code::Internal, error.to_string())),
        }
        self.crew.start(self);
        self.lead(Crew::FIRST);
        self.serve_roles()
    }

    /// What the host accepts.
    pub(super) fn host_limits(&self) -> PeerLimits {
        self.limits.get().copied().unwrap_or_default()
    }

    /// Queues a frame; it leaves when no more frames wait to be read, or when enough have come together.
    pub(super) fn write(&self, head: Prefix, header: &[u8], payload: &[u8]) {
        let mut out = lock(&self.out);
        out.extend_from_slice(&head.sized(header, payload).encode());
        out.extend_from_slice(header);
        if payload.len() >= LARGE {
            return self.flush_with(&mut out, payload);
        }
        out.extend_from_slice(payload);
        if out.len() >= BURST {
            self.flush_with(&mut out, &[]);
        } else {
            self.unsent.store(true, Ordering::Release);
        }
    }

    /// Writes what is queued. Waits while the host does not read.
    pub(super) fn flush(&self) {
        if self.unsent.load(Ordering::Acquire) {
            self.flush_with(&mut lock(&self.out), &[]);
        }
    }

    /// Writes what is queued unless somebody does so already.
    pub(super) fn flush_if_free(&self) {
        if self.unsent.load(Ordering::Acquire)
            && let Ok(mut out) = self.out.try_lock()
        {
            self.flush_with(&mut out, &[]);
        }
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::SeqCst)
    }

    /// Writes what is queued and then a payload that is not worth copying.
    fn flush_with(&self, out: &mut Vec<u8>, payload: &[u8]) {
        self.unsent.store(false, Ordering::Release);
        let (mut first, mut second) = (out.as_slice(), payload);
        while !(first.is_empty() && second.is_empty()) {
            let sent = match (&self.socket).write_vectored(&[IoSlice::new(first), IoSlice::new(second)]) {
                Ok(0) => self.host_is_gone(),
                Ok(sent) => sent,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(_) => self.host_is_gone(),
            };
            let of_first = sent.min(first.len());
            first = first.get(of_first..).unwrap_or_default();
            second = second.get(sent - of_first..).unwrap_or_default();
        }
        out.clear();
        out.shrink_to(16 * BURST);
    }

    /// The right to read the wire.
    pub(super) fn inbound(&self) -> MutexGuard<'_, Inbound> {
        lock(&self.inbound)
    }

    /// The right to read the wire, unless somebody has it.
    pub(super) fn inbound_if_free(&self) -> Option<MutexGuard<'_, Inbound>> {
        self.inbound.try_lock().ok()
    }

    /// Waits for bytes and takes them.
    pub(super) fn receive(&self, inbound: &mut Inbound) {
        let look = inbound.eagerness.look();
        let mut asleep = look.is_none();
        let count = loop {
            let flags = if asleep { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
            match rustix::net::recv(&self.socket, inbound.decoder.space(), flags) {
                Ok((_, 0)) => self.host_is_gone(),
                Ok((_, count)) => break count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !asleep => asleep = !look.as_ref().is_some_and(Look::goes_on),
                Err(_) => self.host_is_gone(),
            }
        };
        match look {
            Some(look) if !asleep => inbound.eagerness.paid(&look),
            Some(_) => inbound.eagerness.in_vain(),
            None => {}
        }
        inbound.decoder.filled(count);
    }

    /// Waits until `ready` says something about what `mutex` guards, reading the wire meanwhile if nobody else does.
    pub(super) fn wait_until<T, R>(
        self: &Arc<Self>,
        mutex: &Mutex<T>,
        bell: &Condvar,
        mut ready: impl FnMut(&mut T) -> Option<R>,
    ) -> R {
        loop {
            if let Some(result) = ready(&mut lock(mutex)) {
                return result;
            }
            self.flush();
            let Some(mut inbound) = self.inbound_if_free() else {
                // Somebody else reads and rings. That thread may leave without a successor for a moment, hence the
                // short wait.
                let guard = lock(mutex);
                drop(bell.wait_timeout(guard, Duration::from_millis(1)).unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            loop {
                if let Some(result) = ready(&mut lock(mutex)) {
                    return result;
                }
                match self.next_frame(&mut inbound) {
                    Some(Some(job)) => self.crew.hand(self, job),
                    Some(None) => {}
                    None => {
                        self.flush();
                        self.receive(&mut inbound);
                    }
                }
            }
        }
    }

    /// Says what was wrong, to the host and to the log, and ends.
    pub(super) fn give_up(&self, error: &Error) -> ! {
        eprintln!("{error}");
        let json = message::write_error(error, 64 * 1024);
        let head = Prefix::new(FrameKind::Error, CONNECTION, 0).sized(&[], &json).encode();
        let mut out = lock(&self.out);
        out.extend_from_slice(&head);
        out.extend_from_slice(&json);
        let _ = (&self.socket).write_all(&out);
        exit(1)
    }

    /// Ends at the host's wish: instances first, then the code.
    pub(super) fn finish(self: &Arc<Self>) -> ! {
        self.flush();
        let seats = std::mem::take(&mut *self.seats.write().unwrap_or_else(PoisonError::into_inner));
        for seat in seats.into_iter().flatten() {
            seat.vacate();
        }
        self.flush();
        exit(0)
    }

    /// Nobody is left to work for.
    fn host_is_gone(&self) -> ! {
        for pid in descendants(rustix::process::getpid().as_raw_nonzero().get()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        // The group is this process's own when a host started it; what the plugin started goes as well.
        if rustix::process::getpgrp() == rustix::process::getpid() {
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
        }
        exit(0)
    }
}

/// Ends at once: no exit handler of the plugin's code can hold it up.
fn exit(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
