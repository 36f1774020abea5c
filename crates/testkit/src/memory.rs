//! Memory of this process, as the system counts it.

use std::fs;

/// Resident memory of this process in bytes; `None` where the system does not tell (anywhere but Linux).
#[must_use]
pub fn resident() -> Option<u64> {
    of(std::process::id())
}

/// Resident memory of a process in bytes; `None` when it is gone or the system does not tell.
#[must_use]
pub fn of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The processes that this process has started and that still live.
#[must_use]
pub fn children() -> Vec<u32> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = threads.flatten().map(of_thread).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}

/// Whether any file whose path contains `part` is mapped into this process.
#[must_use]
pub fn is_mapped(part: &str) -> bool {
    fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.lines().any(|line| line.contains(part)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn touched_memory_shows() {
        let before = resident().unwrap();
        let kept = vec![1_u8; 64 << 20];
        assert!(resident().unwrap() > before + (32 << 20));
        drop(kept);
    }

    #[test]
    fn the_loaded_libraries_are_mapped() {
        assert!(is_mapped("[stack]"));
        assert!(!is_mapped("no-such-library"));
    }
}
