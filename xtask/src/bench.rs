//! `cargo xtask bench`: builds and runs the bench in the release profile; arguments are handed on.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo;
use crate::step::Step;

/// Runs the bench. Its exit code is ours: the bench says what was not met.
///
/// # Errors
/// When it does not build or cannot be started.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let step = Step::begin("Building", "everything with full optimization; from cold this takes some minutes");
    cargo::run(&["build", "--release", "--workspace"])?;
    step.done();
    let mut command = cargo::command();
    command.args(["run", "--quiet", "--release", "--workspace", "--bin", "midplane-bench", "--"]).args(arguments);
    let status = command.status().context("starting the bench")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
