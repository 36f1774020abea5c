//! A Rust compiler that can build for WebAssembly.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo;

/// The target of all guests: it imports nothing of its own.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Where the compiler is, and what it needs in its environment.
#[derive(Debug)]
pub(super) struct Toolchain {
    environment: Vec<(String, String)>,
}

impl Toolchain {
    /// Finds one: the default compiler, if it has the target; else one that a file of the environment names.
    ///
    /// # Errors
    /// When there is none; says how to get one.
    pub(super) fn find() -> Result<Self> {
        let plain = Self { environment: Vec::new() };
        if plain.has_target()? {
            return Ok(plain);
        }
        if let Some(file) = environment_file() {
            let other = Self { environment: environment(&file)? };
            if other.has_target()? {
                return Ok(other);
            }
        }
        bail!(
            "no Rust compiler with the target {TARGET}. Either `rustup target add {TARGET}`, or name a file that sets \
             RUSTC for one that has it: MIDPLANE_WASM_ENV=FILE (default: ~/.cache/midplane/rust-wasm/env.sh)"
        )
    }

    /// The compiler's own name and version.
    ///
    /// # Errors
    /// When it does not run.
    pub(super) fn version(&self) -> Result<String> {
        Ok(self.rustc(&["--version"])?.trim().to_owned())
    }

    /// Cargo with this compiler.
    pub(super) fn cargo(&self) -> Command {
        let mut command = cargo::command();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The standard library's sources, where it has to be built along: one that somebody built on this machine has the
    /// machine's paths in it. The default compiler's own is free of them.
    ///
    /// # Errors
    /// When the compiler does not run.
    pub(super) fn library_sources(&self) -> Result<Option<PathBuf>> {
        if self.environment.is_empty() {
            return Ok(None);
        }
        let sysroot = self.rustc(&["--print", "sysroot"])?;
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        Ok(Some(sources).filter(|sources| sources.join("library/std").is_dir()))
    }

    fn has_target(&self) -> Result<bool> {
        let sysroot = self.rustc(&["--print", "sysroot"])?;
        Ok(Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir())
    }

    fn rustc(&self, arguments: &[&str]) -> Result<String> {
        let program = self.environment.iter().find(|(name, _)| name == "RUSTC").map(|(_, value)| value.clone());
        let program = program.or_else(|| std::env::var("RUSTC").ok()).unwrap_or_else(|| "rustc".to_owned());
        let mut command = Command::new(&program);
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().with_context(|| format!("starting {program}"))?;
        if !output.status.success() {
            bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("rustc printed something that is not UTF-8")
    }
}

fn environment_file() -> Option<PathBuf> {
    let named = std::env::var_os("MIDPLANE_WASM_ENV").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/midplane/rust-wasm/env.sh"));
    named.or(usual).filter(|file| file.is_file())
}

/// What a shell has in RUSTC and LD_LIBRARY_PATH after it has read the file.
fn environment(file: &Path) -> Result<Vec<(String, String)>> {
    let script = r#". "$1" && printf '%s\n%s\n' "$RUSTC" "$LD_LIBRARY_PATH""#;
    let output = Command::new("sh").args(["-c", script, "sh"]).arg(file).output().context("starting sh")?;
    let text = String::from_utf8(output.stdout).context("the environment is not UTF-8")?;
    let values = text.lines().zip(["RUSTC", "LD_LIBRARY_PATH"]);
    let set = values.filter(|(value, _)| !value.is_empty());
    Ok(set.map(|(value, name)| (name.to_owned(), value.to_owned())).collect())
}
