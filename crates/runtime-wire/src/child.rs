//! The other end: a process that hosts one plugin with the same runtimes that a host has.
//!
//! How it moves: one thread leads. It reads a frame, runs the call it holds on the spot, and writes replies when no
//! more frames have arrived, so that a lone call costs one read and one write and many calls share both. A watcher
//! looks every millisecond while there is work; when the leader is stuck in a call, another thread takes the lead, so
//! that cancellation, pings and other instances' calls get through. A thread whose plugin waits for the host reads
//! the wire itself meanwhile.

mod ask;
mod crew;
mod inbound;
mod job;
mod limits;
mod line;
mod load;
mod reply;
mod seat;

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use midplane_kernel::Runtime;

use crate::program::FD_VARIABLE;
use line::Line;

/// Becomes a worker if this process was started as one, and never returns then; otherwise does nothing.
///
/// Call it first thing in `main`, before any thread is started. A process is a worker when its arguments are exactly
/// `worker --fd N` and the variable `MIDPLANE_FD` says the same `N`, which is an open socket.
pub fn run_if_child(runtimes: impl FnOnce() -> Vec<Arc<dyn Runtime>>) {
    let args: Vec<OsString> = std::env::args_os().skip(1).take(4).collect();
    let variable = std::env::var(FD_VARIABLE).ok();
    if let Some(stream) = invoked(&args, variable.as_deref()).and_then(inherited) {
        serve(stream, runtimes());
    }
}

/// Hosts one plugin for the host at the other end of the socket, until that host ends or asks for the end. The
/// process ends with it: exit code 0 after `SHUTDOWN` or when the host is gone, 1 when the host broke the protocol.
pub fn serve(stream: UnixStream, runtimes: Vec<Arc<dyn Runtime>>) -> ! {
    Line::new(stream, runtimes).run()
}

/// The descriptor that a worker's arguments and environment agree on.
fn invoked(args: &[OsString], variable: Option<&str>) -> Option<RawFd> {
    let [command, option, number] = args else { return None };
    let number = number.to_str()?;
    let agreed = command == "worker" && option == "--fd" && variable == Some(number);
    agreed.then(|| number.parse().ok()).flatten().filter(|fd| *fd > 2)
}

fn inherited(fd: RawFd) -> Option<UnixStream> {
    // SAFETY: only looked at here, and closed descriptors answer with an error.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::net::sockopt::socket_type(borrowed).ok()?;
    // What the plugin starts has no business on the wire.
    rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC).ok()?;
    // SAFETY: it is open, and by the convention of `Program` it was passed for this process to own.
    Some(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_known_by_arguments_and_environment_together() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(invoked(&args(&["worker", "--fd", "3"]), Some("3")), Some(3));
        assert_eq!(invoked(&args(&["worker", "--fd", "3"]), None), None);
        assert_eq!(invoked(&args(&["worker", "--fd", "4"]), Some("3")), None);
        assert_eq!(invoked(&args(&["worker", "--fd", "1"]), Some("1")), None);
        assert_eq!(invoked(&args(&["worker"]), Some("3")), None);
        assert_eq!(invoked(&args(&["run", "--fd", "3"]), Some("3")), None);
    }
}
