//! What is known about a machine.

/// Facts about a machine. `None` is what nobody could find out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Machine {
    /// Operating system, as Rust names it: `linux`, `macos`, `windows`.
    pub os: String,
    /// Processor, as Rust names it: `x86_64`, `aarch64`.
    pub arch: String,
    /// Memory in MiB: the machine's, or that of the control group it runs in when that is less.
    pub memory_mb: Option<u64>,
    /// Whether there is a graphics processor.
    pub gpu: Option<bool>,
}

impl Machine {
    /// The facts about this machine. Reads a few small files; cheap enough for every load.
    #[must_use]
    pub fn current() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            memory_mb: memory(),
            gpu: gpu(),
        }
    }
}

#[cfg(target_os = "linux")]
fn memory() -> Option<u64> {
    let info = rustix::system::sysinfo();
    #[expect(clippy::useless_conversion, reason = "the field is 32 bits wide on 32-bit machines")]
    let total = u64::from(info.totalram).saturating_mul(u64::from(info.mem_unit));
    // Version 2 of control groups, then version 1; "max" or a huge number means no limit.
    let limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok());
    Some(limit.map_or(total, |limit| limit.min(total)) >> 20)
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<u64> {
    None
}

/// Device nodes of the kernel's graphics drivers: render nodes, NVIDIA's, AMD's compute node.
#[cfg(target_os = "linux")]
fn gpu() -> Option<bool> {
    let named = ["/dev/nvidia0", "/dev/kfd"].iter().any(|node| std::path::Path::new(node).exists());
    let mut nodes = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    Some(named || nodes.any(|node| node.file_name().to_string_lossy().starts_with("renderD")))
}

#[cfg(not(target_os = "linux"))]
fn gpu() -> Option<bool> {
    None
}
