//! `cargo xtask generate`: writes the committed files that are made from code, or checks that they are current.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::step::Step;
use crate::{build, cargo, workspace};

/// A committed file and the cargo example that writes it into the file named by its first argument.
#[derive(Debug, Clone, Copy)]
struct Generated {
    path: &'static str,
    example: &'static str,
}

const FILES: &[Generated] = &[
    Generated { path: "contract/manifest.schema.json", example: "manifest_schema" },
    Generated { path: "contract/cases.schema.json", example: "case_schema" },
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
    let fresh: PathBuf = folder.join(file.example);
    cargo::run_command(Command::new(program).arg(&fresh))?;
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
