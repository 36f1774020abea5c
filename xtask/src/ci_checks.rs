//! `cargo xtask ci-checks`: everything that is to hold before the tests are worth running.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Result, bail};

use crate::step::Step;
use crate::{cargo, generate, guests};

/// Runs all checks in order and stops at the first that fails.
///
/// # Errors
/// The first check that fails.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        bail!("`cargo xtask ci-checks` takes no arguments");
    }
    check("Formatting", "cargo fmt --check", cargo::command().args(["fmt", "--all", "--check"]))?;
    check("Linting", "clippy with warnings as errors", &mut clippy())?;
    check("Linting the library alone", "clippy without any feature", &mut bare_clippy())?;
    check("Documentation", "rustdoc with warnings as errors", &mut documentation())?;
    dependencies()?;
    generate::run(&["--check".to_owned()])?;
    guests::run(&["--check".to_owned()])
}

fn check(what: &str, why: &str, command: &mut Command) -> Result<()> {
    let step = Step::begin(what, why);
    cargo::run_command(command)?;
    step.done();
    Ok(())
}

fn clippy() -> Command {
    let mut command = cargo::command();
    command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    command
}

/// The library as a program takes it that brings its own runtimes.
fn bare_clippy() -> Command {
    let mut command = cargo::command();
    command.args(["clippy", "--package", "midplane", "--no-default-features", "--", "-D", "warnings"]);
    command
}

fn documentation() -> Command {
    let mut command = cargo::command();
    command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Licences, bans and sources by cargo-deny. Advisories need a database from the network and stay with the caller.
fn dependencies() -> Result<()> {
    let mut probe = cargo::command();
    probe.args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        eprintln!("\n==> Dependencies: NOT CHECKED, cargo-deny is not installed (`cargo install --locked cargo-deny`)");
        return Ok(());
    }
    check(
        "Dependencies",
        "cargo deny check bans licenses sources",
        cargo::command().args(["deny", "--workspace", "check", "bans", "licenses", "sources"]),
    )
}
