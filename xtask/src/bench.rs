//! `cargo xtask bench`: builds and runs the bench in the release profile; arguments are handed on.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::build;

/// Runs the bench. Its exit code is ours: the bench says what was not met.
///
/// # Errors
/// When it does not build or cannot be started.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let bench = build::bench()?;
    let status = Command::new(bench).args(arguments).status().context("starting the bench")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
