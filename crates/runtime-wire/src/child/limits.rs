//! The limits that a worker's process can hold, set before the plugin's code is there.

use midplane_contract::{Code, Error, Limits, Result};
use rustix::process::{Resource, Rlimit};

/// Memory that the worker itself needs while it serves: stacks of its threads, buffers, the code of the plugin.
const HEADROOM: u64 = 24 * 1024 * 1024;

/// Sets what the system can hold. `memory` says whether the process has to hold the memory limit because the
/// runtime cannot.
///
/// # Errors
/// `limit_not_enforceable` when the system refuses.
pub(super) fn apply(limits: &Limits, memory: bool) -> Result<()> {
    if let Some(limit) = limits.memory.filter(|_| memory) {
        // RLIMIT_DATA counts writable private memory, which is what a plugin fills; address space that is merely
        // reserved, as engines and allocators do by the gigabyte, does not count.
        let allowed = limit.saturating_add(writable_now()).saturating_add(HEADROOM);
        set(Resource::Data, allowed, "memory")?;
    }
    if let Some(files) = limits.file_descriptors {
        set(Resource::Nofile, u64::from(files), "file_descriptors")?;
    }
    Ok(())
}

fn set(resource: Resource, value: u64, which: &str) -> Result<()> {
    let limit = Rlimit { current: Some(value), maximum: Some(value) };
    rustix::process::setrlimit(resource, limit).map_err(|error| {
        Error::new(Code::LimitNotEnforceable, format!("the limit {which} cannot be set to {value}: {error}"))
            .remedy("lower the limit, or leave it out")
            .with("which", which)
    })
}

/// Writable private memory that the process has already, in bytes.
fn writable_now() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    kilobytes * 1024
}
