//! Stream sockets.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, Shutdown};

use super::Carrier;

/// A stream socket: Unix or TCP.
#[derive(Debug)]
pub struct Socket {
    stream: OwnedFd,
    /// The receive timeout in force, in microseconds; saves a system call per read.
    timeout: AtomicU64,
}

/// Waits are cut into pieces of this length, so that the socket's timeout rarely has to be changed.
const TICK: Duration = Duration::from_millis(100);

impl Socket {
    /// Carries frames over a connected socket in blocking mode.
    #[must_use]
    pub fn new(stream: impl Into<OwnedFd>) -> Self {
        Self { stream: stream.into(), timeout: AtomicU64::new(0) }
    }

    fn allow(&self, wait: Duration) -> io::Result<()> {
        let wait = wait.clamp(Duration::from_millis(1), TICK);
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        if self.timeout.load(Ordering::Relaxed) != micros {
            set_socket_timeout(&self.stream, Timeout::Recv, Some(wait))?;
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

    fn finish(&self) {
        // It fails only when the other side is gone already.
        let _ = rustix::net::shutdown(&self.stream, Shutdown::Write);
    }

    fn close(&self) {
        let _ = rustix::net::shutdown(&self.stream, Shutdown::Both);
    }
}
