//! What carries frames: any two-way stream of bytes that can be polled.

mod pipes;
mod socket;

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::time::Duration;

pub(crate) use pipes::Pipes;
pub use socket::Socket;

/// A two-way stream of bytes: a socket, a pair of pipes; whatever else can be read, written and polled fits.
pub trait Carrier: Send + Sync + 'static {
    /// Reads what is there, waiting up to `wait` when nothing is. 0 bytes mean that the other side has ended.
    ///
    /// # Errors
    /// `WouldBlock` when nothing came in time. An error that holds a [`midplane_contract::Error`] is why the connection
    /// is to be ended: what came means nothing.
    fn receive(&self, into: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Writes as much as fits without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits.
    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Passes on what a send has taken over and could not, where the carrier does such things.
    ///
    /// # Errors
    /// `WouldBlock` while there is some left.
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// What tells that there is something to read or room to write.
    fn readiness(&self) -> BorrowedFd<'_>;

    /// Runs `with` on what tells of room to write, where that is not what [`Carrier::readiness`] gives; whether it is so.
    fn at_room(&self, _with: &mut dyn FnMut(BorrowedFd<'_>)) -> bool {
        false
    }

    /// Says that nothing more will be sent. What the other side sends can still be read.
    fn finish(&self) {}

    /// Ends both directions. What has arrived can still be read.
    fn close(&self);
}
