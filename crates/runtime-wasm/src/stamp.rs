//! Which state of a file something was read from.

use std::fs::File;
use std::io::Result;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Stat, fstat};

/// Seconds after which a change has another time than the next one, however coarse the clock of the file system is.
const SETTLED: i64 = 2;

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
    pub(crate) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        i64::try_from(now).is_ok_and(|now| now > self.changed.0.saturating_add(SETTLED))
    }

    /// The size of the file in bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.size).unwrap_or(0)
    }
}
