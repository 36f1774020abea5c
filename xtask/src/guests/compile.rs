//! Compiles a guest's package to a core module.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::toolchain::{TARGET, Toolchain};
use super::{Form, Guest};
use crate::{cargo, workspace};

/// Builds the package and returns the module.
///
/// # Errors
/// When it does not build.
pub(super) fn module(root: &Path, toolchain: &Toolchain, guest: &Guest) -> Result<Vec<u8>> {
    // Another compiler than the workspace's may be at work, so its files are kept apart.
    let target = workspace::target_folder()?.join("guests");
    let mut command = toolchain.cargo();
    command.current_dir(root).arg("build").args(["--package", guest.package, "--lib"]);
    command.args(["--target", TARGET, "--profile", "guest", "--locked", "--quiet"]);
    command.arg("--target-dir").arg(&target);
    let mut flags = remapping(root);
    if let Some(sources) = toolchain.library_sources()? {
        // `-Z` is for nightly compilers; this variable makes any compiler take it.
        command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
        flags.push_str(&format!("\u{1f}--remap-path-prefix={}=/rustc", sources.display()));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    if guest.form == Form::Component {
        command.args(["--features", "midplane-sdk/component"]);
    }
    cargo::run_command(&mut command)?;
    let file = target.join(TARGET).join("guest").join(format!("{}.wasm", guest.library));
    std::fs::read(&file).with_context(|| format!("reading {}", file.display()))
}

/// Paths of this machine stay out of the file, so that another builds the same bytes.
fn remapping(root: &Path) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let root = format!("--remap-path-prefix={}=", root.display());
    match home {
        Some(home) => format!("{root}\u{1f}--remap-path-prefix={}=cargo", home.display()),
        None => root,
    }
}
