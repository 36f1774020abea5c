//! The memory limit of a process that cannot limit itself.

use midplane_contract::{Code, Error, Result};
use rustix::process::{Resource, Rlimit};

use crate::process::Process;

/// What engines come to need for themselves while a plugin runs: compiled code, stacks of threads, buffers, and what a
/// collector moves objects to. V8 with a full heap was seen to need 32 MiB.
const HEADROOM: u64 = 40 * 1024 * 1024;

/// Lets a process have `limit` bytes more than it has now.
///
/// It counts writable private memory, which is what a plugin fills, in an engine's heap and outside of it. Address
/// space that is merely reserved, as engines do by the gigabyte, does not count.
///
/// # Errors
/// `limit_not_enforceable` when the system refuses.
pub(crate) fn limit(process: &Process, limit: u64) -> Result<()> {
    let allowed = writable(process.pid()).saturating_add(limit).saturating_add(HEADROOM);
    let rlimit = Rlimit { current: Some(allowed), maximum: Some(allowed) };
    let pid = rustix::process::Pid::from_raw(process.pid());
    rustix::process::prlimit(pid, Resource::Data, rlimit).map(drop).map_err(|error| {
        Error::new(Code::LimitNotEnforceable, format!("the memory limit cannot be set to {limit} bytes: {error}"))
            .remedy("lower the limit, or leave it out")
            .with("which", "memory")
    })
}

/// Writable private memory of a process, in bytes.
fn writable(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    kilobytes * 1024
}
