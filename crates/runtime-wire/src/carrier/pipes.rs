//! Two pipes: a child's stdin and stdout.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::Carrier;

/// Bytes that a pipe should hold; the system may allow less.
const ROOM: usize = 256 * 1024;

/// What a child writes and what it reads.
///
/// Writing to a child that is gone raises SIGPIPE, which Rust programs ignore from their start.
#[derive(Debug)]
pub(crate) struct Pipes {
    from: OwnedFd,
    /// `None` once nothing more will be sent.
    to: Mutex<Option<OwnedFd>>,
}

impl Pipes {
    /// Carries bytes over the reading end of one pipe and the writing end of another.
    ///
    /// # Errors
    /// What the system says when it is told not to wait for them.
    pub(crate) fn new(from: impl Into<OwnedFd>, to: impl Into<OwnedFd>) -> io::Result<Self> {
        let (from, to) = (from.into(), to.into());
        for end in [&from, &to] {
            // This side's end alone: the child's is a description of its own.
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
            let _ = rustix::pipe::fcntl_setpipe_size(end, ROOM);
        }
        Ok(Self { from, to: Mutex::new(Some(to)) })
    }

    fn with_to<T>(&self, with: impl FnOnce(&OwnedFd) -> T) -> Option<T> {
        self.to.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(with)
    }
}

impl Carrier for Pipes {
    fn receive(&self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        if !wait.is_zero() {
            let mut polled = [PollFd::new(&self.from, PollFlags::IN)];
            match rustix::event::poll(&mut polled, Timespec::try_from(wait).ok().as_ref()) {
                Ok(0) | Err(rustix::io::Errno::INTR) => return Err(ErrorKind::WouldBlock.into()),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
        loop {
            match rustix::io::read(&self.from, &mut *into) {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            match self.with_to(|to| rustix::io::writev(to, parts)) {
                Some(Ok(count)) => return Ok(count),
                Some(Err(rustix::io::Errno::INTR)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(ErrorKind::BrokenPipe.into()),
            }
        }
    }

    fn readiness(&self) -> BorrowedFd<'_> {
        self.from.as_fd()
    }

    fn at_room(&self, with: &mut dyn FnMut(BorrowedFd<'_>)) -> bool {
        self.with_to(|to| with(to.as_fd()));
        true
    }

    fn finish(&self) {
        self.to.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn close(&self) {
        self.finish();
    }
}
