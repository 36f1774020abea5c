//! A child process: its output, its end, and everything that descends from it.

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use midplane_contract::{Code, Error, PluginId, Result};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{End, Over};
use crate::stderr::Output;

/// Bytes of output taken in one go, so that a flood does not hold up others.
const GULP: usize = 64 * 1024;
/// Descendants looked for at most when a child is killed.
const DESCENDANTS: usize = 4096;

/// A process that was started here.
pub(crate) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    child: Mutex<process::Child>,
    pipe: Mutex<fs::File>,
    output: Mutex<Output>,
    end: OnceLock<Option<End>>,
    over: Over,
    /// What descended from it when it was asked to end, wherever that has moved since.
    left: Mutex<Vec<OwnedFd>>,
    pub(crate) memory_limit: Option<u64>,
}

impl Child {
    /// Takes charge of a child.
    ///
    /// # Errors
    /// `io` when the system gives no descriptor for it; the child is killed then.
    pub(crate) fn new(
        mut child: process::Child,
        output: OwnedFd,
        plugin: PluginId,
        memory_limit: Option<u64>,
    ) -> Result<Self> {
        let watched = || -> rustix::io::Result<(Pid, OwnedFd)> {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH)?;
            let flags = rustix::fs::fcntl_getfl(&output)? | rustix::fs::OFlags::NONBLOCK;
            rustix::fs::fcntl_setfl(&output, flags)?;
            Ok((pid, rustix::process::pidfd_open(pid, PidfdFlags::empty())?))
        };
        let (pid, pidfd) = match watched() {
            Ok(watched) => watched,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::new(Code::Io, format!("a child cannot be watched: {error}"))
                    .remedy("Linux 5.3 or newer and free descriptors are needed"));
            }
        };
        Ok(Self {
            pid,
            pidfd,
            child: Mutex::new(child),
            pipe: Mutex::new(output.into()),
            output: Mutex::new(Output::new(plugin)),
            end: OnceLock::new(),
            over: Over::default(),
            left: Mutex::default(),
            memory_limit,
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Becomes readable when the process has ended.
    pub(crate) fn exit_event(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Runs `with` on the descriptor that the process prints to.
    pub(crate) fn with_pipe<T>(&self, with: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        with(self.pipe.lock().unwrap_or_else(PoisonError::into_inner).as_fd())
    }

    /// Takes what the process has printed. `false` when nothing more can come.
    pub(crate) fn take_output(&self) -> bool {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; 16 * 1024];
        let mut taken = 0;
        while taken < GULP {
            match pipe.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    taken += count;
                    output.take(buffer.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    /// The last lines that the process printed.
    pub(crate) fn last_words(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = output.last().collect();
        lines.join("\n")
    }

    /// How it ended; `None` while it runs or where that cannot be told.
    pub(crate) fn end(&self) -> Option<End> {
        self.end.get().copied().flatten()
    }

    /// Collects the ended process, kills what it left behind and takes its last output.
    pub(crate) fn reap(&self) {
        self.kill();
        for left in self.left.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = rustix::process::pidfd_send_signal(&left, Signal::KILL);
        }
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        let _ = self.end.set(status.ok().and_then(end_of));
        for _ in 0..64 {
            if !self.has_output() || !self.take_output() {
                break;
            }
        }
        self.output.lock().unwrap_or_else(PoisonError::into_inner).finish();
        self.over.say();
    }

    fn has_output(&self) -> bool {
        self.with_pipe(|pipe| {
            let mut polled = [rustix::event::PollFd::new(&pipe, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut polled, Some(&rustix::event::Timespec::default())).is_ok_and(|ready| ready > 0)
        })
    }

    /// Its resident memory, in bytes.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        let pages = fs::read_to_string(format!("/proc/{}/statm", self.pid())).ok()?;
        let resident: u64 = pages.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(resident * u64::try_from(rustix::param::page_size()).ok()?)
    }

    /// Waits until the process has been collected. `false` when the time was up first.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.over.wait(patience)
    }

    /// Keeps hold of what descends from the process now, so that it can be killed after the process has ended in order
    /// and is no longer there to ask.
    pub(crate) fn remember_descendants(&self) {
        let held = descendants(self.pid()).into_iter().filter_map(Pid::from_raw);
        let held = held.filter_map(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = held.collect();
    }

    /// Kills the process, its group and its descendants, also those that left the group. Does nothing once it has
    /// been collected: the number may be somebody else's by then.
    pub(crate) fn kill(&self) {
        if self.end.get().is_some() {
            return;
        }
        // Stopped first, so that it makes no more children while they are looked for.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::STOP);
        let descendants = descendants(self.pid());
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        for pid in descendants.into_iter().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }
}

fn end_of(status: ExitStatus) -> Option<End> {
    status.code().map(End::Exit).or_else(|| status.signal().map(End::Signal))
}

/// The processes below this one, as far as they can be told.
pub(crate) fn descendants(root: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            for child in children.split_ascii_whitespace().filter_map(|child| child.parse().ok()) {
                if found.len() < DESCENDANTS && !found.contains(&child) {
                    found.push(child);
                    next.push(child);
                }
            }
        }
    }
    found
}
