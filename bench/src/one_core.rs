//! Everything that is measured on one core: what calls between processes cost without the waking of another core, which
//! takes longer than all the rest and differs from machine to machine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Until it is dropped, every thread of this process and of its children, and those that they begin, are on one core.
pub(crate) struct OneCore {
    before: CpuSet,
}

impl OneCore {
    /// Puts all that run by now there: first begin what is to be measured.
    pub(crate) fn hold() -> Result<Self> {
        let before = sched_getaffinity(None).context("asking for this thread's cores")?;
        let first = (0..CpuSet::MAX_CPU).find(|number| before.is_set(*number)).context("there is no core")?;
        let mut one = CpuSet::new();
        one.set(first);
        put(std::process::id(), &one);
        Ok(Self { before })
    }
}

impl Drop for OneCore {
    fn drop(&mut self) {
        put(std::process::id(), &self.before);
    }
}

/// All threads of a process and of its children. A thread that ends meanwhile needs none.
fn put(process: u32, cores: &CpuSet) {
    let Ok(tasks) = fs::read_dir(Path::new("/proc").join(process.to_string()).join("task")) else { return };
    for task in tasks.flatten() {
        let thread = task.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let _ = sched_setaffinity(thread, cores);
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| child.parse().ok()).for_each(|child| put(child, cores));
    }
}
