//! `cargo xtask generate`: writes the committed files that are made from code, or checks that they are current.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::step::Step;
use crate::{build, cargo, workspace};

/// A committed file, and the cargo example that writes it into the file named by its first argument.
#[derive(Debug, Clone, Copy)]
struct Generated {
    path: &'static str,
    example: &'static str,
    /// What else the example is told: which of its files is wanted.
    which: Option<&'static str>,
}

impl Generated {
    const fn new(path: &'static str, example: &'static str) -> Self {
        Self { path, example, which: None }
    }

    const fn one_of(path: &'static str, example: &'static str, which: &'static str) -> Self {
        Self { path, example, which: Some(which) }
    }
}

const FILES: &[Generated] = &[
    Generated::new("contract/manifest.schema.json", "manifest_schema"),
    Generated::new("contract/cases.schema.json", "case_schema"),
    Generated::new("contract/settings.schema.json", "settings_schema"),
    Generated::one_of("crates/runtime-grpc/src/proto/midplane.plugin.v1.rs", "grpc_code", "midplane.plugin.v1"),
    Generated::one_of("crates/runtime-grpc/src/proto/musicfox.plugin.rs", "grpc_code", "musicfox.plugin"),
];

/// Runs `cargo xtask generate [--check]`.
///
/// # Errors
/// Unknown arguments, or a generator that fails. With `--check`, files that are not current.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("`cargo xtask generate` takes nothing but --check"),
    };
    let root = workspace::root()?;
    let step = Step::begin(if check { "Checking generated files" } else { "Generating files" }, "from the code");
    let mut stale = Vec::new();
    for file in FILES {
        let fresh = generate(file).with_context(|| format!("generating {}", file.path))?;
        if !is_current(&root.join(file.path), &fresh) {
            stale.push(file.path);
            if !check {
                write(&root.join(file.path), &fresh)?;
            }
        }
    }
    step.done();
    if check && !stale.is_empty() {
        bail!("not current: {}; run `cargo xtask generate` and commit what changes", stale.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the file should hold, by way of a file beside everything that is built.
fn generate(file: &Generated) -> Result<String> {
    let program = build::program(file.example)?;
    let folder = workspace::target_folder()?.join("generated");
    std::fs::create_dir_all(&folder)?;
    let fresh: PathBuf = folder.join(file.which.unwrap_or(file.example));
    cargo::run_command(Command::new(program).arg(&fresh).args(file.which))?;
    Ok(std::fs::read_to_string(&fresh)?)
}

/// A checkout may have turned line ends around.
fn is_current(committed: &Path, fresh: &str) -> bool {
    std::fs::read_to_string(committed).is_ok_and(|committed| committed.replace("\r\n", "\n") == fresh)
}

fn write(path: &Path, fresh: &str) -> Result<()> {
    eprintln!("    writing {}", path.display());
    std::fs::write(path, fresh).with_context(|| format!("writing {}", path.display()))
}
