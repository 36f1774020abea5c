//! Whose code is at the other end of a connection: a child of this process, or a guest that came by itself.

mod child;
mod guest;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::process;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use midplane_contract::{Error, PluginId, Result};

use child::Child;
pub(crate) use child::descendants;
pub use guest::Elsewhere;
pub(crate) use guest::Guest;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
}

/// What is at the other end.
pub(crate) enum Process {
    Child(Box<Child>),
    Guest(Guest),
}

impl Process {
    /// Takes charge of a child.
    ///
    /// # Errors
    /// `io` when the system gives no descriptor for it; the child is killed then.
    pub(crate) fn new(
        child: process::Child,
        output: OwnedFd,
        plugin: PluginId,
        memory_limit: Option<u64>,
    ) -> Result<Self> {
        Ok(Self::Child(Box::new(Child::new(child, output, plugin, memory_limit)?)))
    }

    /// The child's number; 0 of a guest, which has none here.
    pub(crate) fn pid(&self) -> i32 {
        match self {
            Self::Child(child) => child.pid(),
            Self::Guest(_) => 0,
        }
    }

    /// The guest, if it is one.
    pub(crate) fn guest(&self) -> Option<&Guest> {
        match self {
            Self::Child(_) => None,
            Self::Guest(guest) => Some(guest),
        }
    }

    /// Becomes readable when it has ended.
    pub(crate) fn exit_event(&self) -> BorrowedFd<'_> {
        match self {
            Self::Child(child) => child.exit_event(),
            Self::Guest(guest) => guest.exit_event(),
        }
    }

    /// Runs `with` on the descriptor that a child prints to, where it is one.
    pub(crate) fn with_pipe<T>(&self, with: impl FnOnce(BorrowedFd<'_>) -> T) -> Option<T> {
        match self {
            Self::Child(child) => Some(child.with_pipe(with)),
            Self::Guest(_) => None,
        }
    }

    /// Takes what a child has printed. `false` when nothing more can come.
    pub(crate) fn take_output(&self) -> bool {
        match self {
            Self::Child(child) => child.take_output(),
            Self::Guest(_) => false,
        }
    }

    /// The last lines that it printed, or why it went.
    pub(crate) fn last_words(&self) -> String {
        match self {
            Self::Child(child) => child.last_words(),
            Self::Guest(guest) => guest.last_words(),
        }
    }

    /// How it ended; `None` while it runs or where that cannot be told.
    pub(crate) fn end(&self) -> Option<End> {
        match self {
            Self::Child(child) => child.end(),
            Self::Guest(_) => None,
        }
    }

    /// The memory limit in bytes that a child was started with.
    pub(crate) fn memory_limit(&self) -> Option<u64> {
        match self {
            Self::Child(child) => child.memory_limit,
            Self::Guest(_) => None,
        }
    }

    /// Collects what has ended.
    pub(crate) fn reap(&self) {
        match self {
            Self::Child(child) => child.reap(),
            Self::Guest(guest) => guest.reap(),
        }
    }

    /// Its resident memory, in bytes, where it can be known.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        match self {
            Self::Child(child) => child.resident_memory(),
            Self::Guest(_) => None,
        }
    }

    /// Waits until it has been collected. `false` when the time was up first.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        match self {
            Self::Child(child) => child.wait(patience),
            Self::Guest(guest) => guest.wait(patience),
        }
    }

    /// Keeps hold of what descends from a child now, so that it can be killed after the child has ended in order and is
    /// no longer there to ask.
    pub(crate) fn remember_descendants(&self) {
        if let Self::Child(child) = self {
            child.remember_descendants();
        }
    }

    /// Ends it, whatever it does: kills a child with all its descendants, cuts a guest off. `why` is for the guest.
    pub(crate) fn kill(&self, why: Option<&Error>) {
        match self {
            Self::Child(child) => child.kill(),
            Self::Guest(guest) => guest.cut(why),
        }
    }
}

/// Said once, waited for by many.
#[derive(Default)]
pub(crate) struct Over(Mutex<bool>, Condvar);

impl Over {
    fn say(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    /// `false` when the time was up first.
    fn wait(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut over = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            over = self.1.wait_timeout(over, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
