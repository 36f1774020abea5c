//! What waits to be written. A lone caller writes for itself; under load one thread writes for all.

use std::io::{ErrorKind, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use crate::carrier::Carrier;

/// Bytes of finished bursts kept allocated.
const KEPT: usize = 1024 * 1024;

/// Frames on their way out, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Frames that nobody writes yet. Held for the time of a copy.
    queue: Mutex<Vec<u8>>,
    /// Whether there are any; saves the lock.
    queued: AtomicBool,
    /// Whether the carrier was full at the last write.
    blocked: AtomicBool,
    /// What is being written. Whoever holds it writes.
    writer: Mutex<Writer>,
}

#[derive(Debug, Default)]
struct Writer {
    pending: Vec<u8>,
    written: usize,
}

/// Whether what the carrier has taken over is on its way as well. What broke it is found by whoever reads.
fn is_out(carrier: &dyn Carrier) -> bool {
    !carrier.flush().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All of it is on its way.
    All,
    /// Somebody must call [`Outbox::flush`] soon.
    Queued,
    /// The carrier is full: flush when it has room.
    Blocked,
}

impl Outbox {
    /// Writes a frame now if nothing is in front of it, else queues it. Never waits.
    ///
    /// CONCURRENCY: a frame is written directly only while the writer is held and neither queue nor pending bytes
    /// exist, so that frames of one thread keep their order.
    pub(crate) fn send_now(&self, carrier: &dyn Carrier, parts: [&[u8]; 3]) -> Sent {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return self.enqueue(parts),
        };
        if self.queued.load(Ordering::Acquire) || !writer.pending.is_empty() {
            drop(writer);
            return self.enqueue(parts);
        }
        let [head, header, payload] = parts;
        let sent = if header.is_empty() && payload.is_empty() {
            carrier.send(&[IoSlice::new(head)])
        } else {
            carrier.send(&[IoSlice::new(head), IoSlice::new(header), IoSlice::new(payload)])
        };
        let mut done = match sent {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            // The other side is gone; whoever reads finds out and says why.
            Err(_) => return Sent::All,
        };
        for part in parts {
            let skipped = done.min(part.len());
            done -= skipped;
            writer.pending.extend_from_slice(part.get(skipped..).unwrap_or_default());
        }
        if writer.pending.is_empty() && is_out(carrier) {
            return Sent::All;
        }
        self.blocked.store(true, Ordering::SeqCst);
        Sent::Blocked
    }

    /// Queues a frame for the next [`Outbox::flush`].
    pub(crate) fn enqueue(&self, parts: [&[u8]; 3]) -> Sent {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        for part in parts {
            queue.extend_from_slice(part);
        }
        self.queued.store(true, Ordering::Release);
        Sent::Queued
    }

    /// Writes what fits without waiting.
    pub(crate) fn flush(&self, carrier: &dyn Carrier) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if writer.written == writer.pending.len() {
                writer.written = 0;
                writer.pending.clear();
                writer.pending.shrink_to(KEPT);
                if !self.queued.load(Ordering::Acquire) {
                    self.blocked.store(!is_out(carrier), Ordering::SeqCst);
                    return;
                }
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *queue, &mut writer.pending);
                self.queued.store(false, Ordering::Release);
            }
            let rest = writer.pending.get(writer.written..).unwrap_or_default();
            match carrier.send(&[IoSlice::new(rest)]) {
                Ok(count) => writer.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked.store(true, Ordering::SeqCst);
                    return;
                }
                Err(_) => writer.written = writer.pending.len(),
            }
        }
    }

    /// Whether a flush is due when the carrier has room.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::SeqCst)
    }

    /// Bytes queued, not counting those being written.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
