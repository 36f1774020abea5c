//! `cargo xtask generate`: writes the committed files that are made from code, or checks that they are current.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::step::Step;
use crate::{build, workspace};

/// A committed file and the cargo example that prints it.
#[derive(Debug, Clone, Copy)]
struct Generated {
    path: &'static str,
    example: &'static str,
}

const FILES: &[Generated] = &[Generated { path: "contract/manifest.schema.json", example: "manifest_schema" }];

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
        if !is_current(&root, file, !check)? {
            stale.push(file.path);
        }
    }
    step.done();
    if check && !stale.is_empty() {
        bail!("not current: {}; run `cargo xtask generate` and commit what changes", stale.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the file holds what its generator prints; writes it when it does not and `write` is set.
fn is_current(root: &Path, file: &Generated, write: bool) -> Result<bool> {
    let program = build::program(file.example)?;
    let output = Command::new(program).output().with_context(|| format!("generating {}", file.path))?;
    if !output.status.success() {
        bail!("the generator of {} failed: {}", file.path, String::from_utf8_lossy(&output.stderr).trim());
    }
    let printed = String::from_utf8(output.stdout).with_context(|| format!("generating {}", file.path))?;
    let path = root.join(file.path);
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // A checkout may have turned line ends around.
    if committed.replace("\r\n", "\n") == printed {
        return Ok(true);
    }
    if write {
        std::fs::write(&path, printed).with_context(|| format!("writing {}", path.display()))?;
        eprintln!("    wrote {}", file.path);
    }
    Ok(false)
}
