//! What carries frames: any two-way stream of bytes that can be polled.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags};

/// A two-way stream of bytes. Unix sockets today; whatever else can be read, written and polled fits.
pub trait Carrier: Send + Sync + 'static {
    /// Reads what is there, waiting up to `wait` when nothing is. 0 bytes mean that the other side has ended.
    ///
    /// # Errors
    /// `WouldBlock` when nothing came in time.
    fn receive(&self, into: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Writes as much as fits without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits.
    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// What tells that there is something to read or room to write.
    fn readiness(&self) -> BorrowedFd<'_>;

    /// Ends both directions. What has arrived can still be read.
    fn close(&self);
}

/// A Unix stream socket.
#[derive(Debug)]
pub struct Socket {
    stream: UnixStream,
    /// The receive timeout in force, in microseconds; saves a system call per read.
    timeout: AtomicU64,
}

/// Waits are cut into pieces of this length, so that the socket's timeout rarely has to be changed.
const TICK: Duration = Duration::from_millis(100);

impl Socket {
    /// Carries frames over a connected socket in blocking mode.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        Self { stream, timeout: AtomicU64::new(0) }
    }

    fn allow(&self, wait: Duration) -> io::Result<()> {
        let wait = wait.clamp(Duration::from_millis(1), TICK);
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        if self.timeout.load(Ordering::Relaxed) != micros {
            self.stream.set_read_timeout(Some(wait))?;
            self.timeout.store(micros, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Carrier for Socket {
    fn receive(&self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let flags = if wait.is_zero() {
            RecvFlags::DONTWAIT
        } else {
            self.allow(wait)?;
            RecvFlags::empty()
        };
        loop {
            match rustix::net::recv(&self.stream, &mut *into, flags) {
                Ok((_, count)) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            let sent = match parts {
                [one] => rustix::net::send(&self.stream, one, flags),
                _ => rustix::net::sendmsg(&self.stream, parts, &mut rustix::net::SendAncillaryBuffer::default(), flags),
            };
            match sent {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn readiness(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn close(&self) {
        // It fails only when the other side is gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
