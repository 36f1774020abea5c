//! What is known about a machine.

use midplane_contract::RuntimeKind;

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
    /// The system's own version: the kernel's release.
    pub version: Option<String>,
    /// What can be done here: `basic`; `network`, where there is one beyond this machine; `filesystem`, where temporary
    /// files can be written. A kernel adds what its runtimes execute: `cgo` (native libraries), `wasm`, `javascript`,
    /// `python`, `process`.
    pub capabilities: Vec<String>,
    /// Processors whose programs the system runs by an emulator.
    pub emulates: Vec<String>,
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
            version: release(),
            capabilities: capabilities(),
            emulates: emulated(),
        }
    }

    /// With what runtimes of these kinds can do.
    #[must_use]
    pub fn with_runtimes(mut self, kinds: impl Iterator<Item = RuntimeKind>) -> Self {
        for kind in kinds {
            let capability = match kind {
                RuntimeKind::Native => "cgo",
                RuntimeKind::Wasm => "wasm",
                RuntimeKind::Js => "javascript",
                RuntimeKind::Python => "python",
                RuntimeKind::Process => "process",
                RuntimeKind::Remote | RuntimeKind::Script => continue,
            };
            if !self.capabilities.iter().any(|known| known == capability) {
                self.capabilities.push(capability.to_owned());
            }
        }
        self
    }
}

fn capabilities() -> Vec<String> {
    let mut capabilities = vec!["basic".to_owned()];
    let can = [("network", network()), ("filesystem", writable(&std::env::temp_dir()))];
    capabilities.extend(can.into_iter().filter(|(_, can)| *can).map(|(name, _)| name.to_owned()));
    capabilities
}

/// Whether this user may make files in a folder, as far as its permissions tell. Nothing is written.
#[cfg(unix)]
fn writable(folder: &std::path::Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn writable(folder: &std::path::Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|found| !found.permissions().readonly())
}

/// Whether a network interface other than the machine's own loop is there and not down.
#[cfg(target_os = "linux")]
fn network() -> bool {
    let up = |entry: std::fs::DirEntry| {
        let state = std::fs::read_to_string(entry.path().join("operstate")).unwrap_or_default();
        entry.file_name() != "lo" && state.trim() != "down"
    };
    std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten().any(up)
}

/// Elsewhere nobody is asked; what cannot be reached says so itself.
#[cfg(not(target_os = "linux"))]
fn network() -> bool {
    true
}

#[cfg(unix)]
fn release() -> Option<String> {
    rustix::system::uname().release().to_str().ok().map(str::to_owned)
}

#[cfg(not(unix))]
fn release() -> Option<String> {
    None
}

/// The emulators that the kernel is told of (binfmt_misc, as QEMU registers itself).
#[cfg(target_os = "linux")]
fn emulated() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| Some(entry.file_name().to_str()?.strip_prefix("qemu-")?.to_owned());
    entries.filter_map(name).collect()
}

#[cfg(not(target_os = "linux"))]
fn emulated() -> Vec<String> {
    Vec::new()
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
