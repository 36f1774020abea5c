//! Cargo as a child process.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The cargo that started this task, ready for arguments.
///
/// What cargo tells a program it runs (`CARGO_MANIFEST_DIR`, `CARGO_PKG_*`) is taken out again: build scripts that
/// watch those variables would otherwise run anew on each change between `cargo` and `cargo xtask`.
#[must_use]
pub fn command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_BIN_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs cargo in front of the user and waits for it.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(arguments: &[&str]) -> Result<()> {
    run_command(command().args(arguments))
}

/// Runs a prepared command in front of the user and waits for it.
///
/// # Errors
/// When it cannot be started or does not succeed; the message repeats the command line.
pub fn run_command(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` did not succeed ({status})", line(command));
    }
    Ok(())
}

/// Runs cargo and returns what it printed.
///
/// # Errors
/// When it cannot be started, does not succeed or prints something that is not UTF-8.
pub fn output(arguments: &[&str]) -> Result<String> {
    output_of(command().args(arguments))
}

/// Runs a prepared command and returns what it printed.
///
/// # Errors
/// When it cannot be started, does not succeed or prints something that is not UTF-8.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("starting `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` did not succeed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed something that is not UTF-8", line(command)))
}

/// A command as one would type it: the program without its folder, then the arguments.
#[must_use]
pub fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
