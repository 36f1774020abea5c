//! Which state of a file something was read from, and what is known of files in their states.

use std::collections::HashMap;
use std::fs::File;
use std::io::Result;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Stat, fstat};

/// Seconds after which a change has another time than the next one, however coarse the clock of the file system is.
const SETTLED: i64 = 2;

/// States of files of which something is remembered, at most.
const REMEMBERED: usize = 10_000;

/// The state of a file: another content has another stamp, because writing moves the time of change, which nobody can
/// set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

impl Stamp {
    /// The state in which an open file is now.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn of(file: &File) -> Result<Self> {
        Ok(Self::from_facts(&fstat(file)?))
    }

    /// The same from what the system said.
    pub(crate) fn from_facts(facts: &Stat) -> Self {
        let nanos = i64::try_from(facts.st_ctime_nsec).unwrap_or(0);
        Self { device: facts.st_dev, inode: facts.st_ino, size: facts.st_size, changed: (facts.st_ctime, nanos) }
    }

    /// Whether the change lies so far back that another one has another time.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        i64::try_from(now).is_ok_and(|now| now > self.changed.0.saturating_add(SETTLED))
    }

    /// The size of the file in bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.size).unwrap_or(0)
    }
}

/// What is known of files, each in the state in which it was looked at.
pub(crate) struct Stamps<T>(Mutex<HashMap<Stamp, T>>);

impl<T> Default for Stamps<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy> Stamps<T> {
    /// What is known of a file in this state.
    pub(crate) fn get(&self, stamp: &Stamp) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stamp).copied()
    }

    /// Remembers it, unless the file was changed so lately that another change could have the same stamp.
    pub(crate) fn remember(&self, stamp: Stamp, known: T) {
        if !stamp.is_settled() {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(stamp, known);
    }
}
