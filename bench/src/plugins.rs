//! The plugins that are measured, in folders of their own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use midplane::{Builder, Kernel, Placement, PluginId, Policy, Trust};
use tempfile::TempDir;

/// A core module whose only action returns its input where it stands: the least a guest can do.
pub(crate) const CORE_ECHO: &str = r#"(module
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 1024))
  (func (export "plugin_init") (param i32 i32) (result i32) i32.const 0)
  (func (export "plugin_start")) (func (export "plugin_stop")) (func (export "plugin_cleanup"))
  (func (export "plugin_get_info") (result i32) i32.const 0)
  (func (export "malloc") (param i32) (result i32)
    global.get $next
    (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "free") (param i32))
  (func (export "plugin_echo") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))"#;

/// A kernel with plugins in folders that go when it goes.
pub(crate) struct Bench {
    /// The kernel.
    pub kernel: Kernel,
    folders: TempDir,
}

/// How a plugin is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Its id.
    pub id: &'static str,
    /// Where.
    pub placement: Placement,
    /// Instances, all made at load.
    pub instances: u32,
}

impl Bench {
    /// An empty kernel with every runtime and a cache of its own.
    pub(crate) fn new() -> Result<Self> {
        Self::with(|builder| builder)
    }

    /// The same with a changed builder.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let folders = tempfile::Builder::new().prefix("midplane-bench").tempdir().context("making a folder")?;
        let kernel = change(midplane::kernel().cache(folders.path().join("cache"))).build();
        Ok(Self { kernel, folders })
    }

    /// Writes a plugin's folder.
    pub(crate) fn folder(
        &self,
        setting: Setting,
        runtime: &str,
        file: &str,
        code: &[u8],
        action: &str,
    ) -> Result<PathBuf> {
        let entry = format!("{{main: {file}, runtime: {runtime}}}\nactions: [{action}]");
        self.written(setting, &entry, Some((file, code)))
    }

    /// The same with a whole `entry`, and a file if it names one.
    pub(crate) fn written(&self, setting: Setting, entry: &str, file: Option<(&str, &[u8])>) -> Result<PathBuf> {
        let Setting { id, instances, .. } = setting;
        let folder = self.folders.path().join(id);
        fs::create_dir_all(&folder)?;
        if let Some((name, code)) = file {
            fs::write(folder.join(name), code)?;
            set_executable(&folder.join(name))?;
        }
        let mode = if instances > 1 { "pool" } else { "actor" };
        let manifest = format!(
            "id: {id}\nname: {id}\nversion: 0.1.0\nentry: {entry}\n\
             instances: {{mode: {mode}, min: {instances}, max: {instances}}}\n"
        );
        fs::write(folder.join("plugin.yaml"), manifest)?;
        Ok(folder)
    }

    /// Loads a plugin from its folder.
    pub(crate) fn load(&self, setting: Setting, folder: &Path) -> Result<()> {
        let policy = Policy { trust: Trust::Trusted, placement: Some(setting.placement), ..Policy::default() };
        self.kernel.set_policy(&PluginId::new(setting.id)?, policy);
        midplane::block_on(self.kernel.load_path(folder))?;
        Ok(())
    }

    /// The native probe plugin, built with the Rust SDK.
    pub(crate) fn native(&self, setting: Setting) -> Result<PathBuf> {
        self.folder(setting, "native", "libprobe.so", &beside_us("libprobe.so")?, "echo")
    }

    /// The core echo module.
    pub(crate) fn core(&self, setting: Setting) -> Result<PathBuf> {
        self.folder(setting, "wasm", "echo.wasm", &core_echo()?, "echo")
    }

    /// The probe plugin as a component.
    pub(crate) fn component(&self, setting: Setting) -> Result<PathBuf> {
        self.folder(setting, "wasm", "probe.wasm", &component()?, "echo")
    }
}

/// [`CORE_ECHO`] in binary.
pub(crate) fn core_echo() -> Result<Vec<u8>> {
    wat::parse_str(CORE_ECHO).context("the echo module")
}

/// The committed component of the probe plugin.
pub(crate) fn component() -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/testkit/guests/probe/probe.component.wasm");
    fs::read(&path).with_context(|| format!("reading {}", path.display()))
}

/// A file that was built beside this program.
pub(crate) fn beside_us(name: &str) -> Result<Vec<u8>> {
    let path = program(name)?;
    fs::read(&path).with_context(|| format!("reading {}; `cargo xtask bench` builds it", path.display()))
}

/// The path of a file that was built beside this program.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    Ok(own.parent().context("this program has no folder")?.join(name))
}

fn set_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).context("marking the code as executable")
}
