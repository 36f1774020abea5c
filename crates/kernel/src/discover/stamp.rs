//! What tells, without opening it, that a file or a folder is as it was.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Identity, size and times. The time of change is the system's own: no user can set it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
    changed: i64,
}

/// File systems may give the same time to all changes within a tick of the clock, 10 ms at most.
const TICK: Duration = Duration::from_millis(20);

impl Stamp {
    /// Of what stands at a path, through symbolic links.
    pub(crate) fn of(path: &Path) -> io::Result<(Self, Metadata)> {
        let facts = path.metadata()?;
        Ok((Self::from(&facts), facts))
    }

    /// Waits until what is read of it cannot change any more within the tick that its stamp names: a change after
    /// reading gives another stamp then. Costs nothing unless it was changed just now.
    pub(crate) fn settle(&self) {
        let age = jiff::Timestamp::now().as_nanosecond() - i128::from(self.changed);
        if let Ok(age) = u64::try_from(age)
            && let Some(left) = TICK.checked_sub(Duration::from_nanos(age))
        {
            std::thread::sleep(left);
        }
    }
}

#[cfg(unix)]
impl From<&Metadata> for Stamp {
    fn from(facts: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        let nanos = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            modified: nanos(facts.mtime(), facts.mtime_nsec()),
            changed: nanos(facts.ctime(), facts.ctime_nsec()),
        }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for Stamp {
    fn from(facts: &Metadata) -> Self {
        let since = |time: io::Result<std::time::SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
        };
        let modified = since(facts.modified());
        Self { device: 0, inode: 0, size: facts.len(), modified, changed: modified.max(since(facts.created())) }
    }
}
