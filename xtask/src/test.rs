//! `cargo xtask test`: sets up what the tests need, runs them all and adds up what they report.

use std::io::{BufRead, BufReader, Write};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::step::{Step, spent};
use crate::tally::Tally;
use crate::{build, cargo, prerequisites, stage, suites};

/// The inner loop: what changes most and needs no wasm engine.
const QUICK: &[&str] = &["midplane-contract", "midplane-kernel", "midplane-sdk", "midplane-testkit", "xtask"];

/// Runs `cargo xtask test`. The last line on stdout is `N passed, N failed`.
///
/// # Errors
/// Unknown arguments, missing tools, code that does not build. Failing tests are an exit code, not an error.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let quick = match arguments {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => bail!("`cargo xtask test` takes nothing but --quick; for single tests use `cargo test -p CRATE NAME`"),
    };
    let began = Instant::now();
    prerequisites::ensure()?;
    let tally = if quick { test(&selection())? } else { everything()? };
    report(&tally, began);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn everything() -> Result<Tally> {
    build::everything()?;
    stage::examples()?;
    build::tests()?;
    let mut tally = test(&["--workspace"])?;
    suites::run(&mut tally)?;
    Ok(tally)
}

fn selection() -> Vec<&'static str> {
    QUICK.iter().flat_map(|name| ["-p", name]).collect()
}

fn test(selection: &[&str]) -> Result<Tally> {
    let step = Step::begin("Testing", &format!("cargo test {}", selection.join(" ")));
    let mut command = cargo::command();
    command.arg("test").args(selection).arg("--no-fail-fast").stdout(Stdio::piped());
    let mut child = command.spawn().context("starting `cargo test`")?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        copy_lines(BufReader::new(stdout), &mut tally)?;
    }
    let status = child.wait().context("waiting for `cargo test`")?;
    tally.end(status.success());
    step.done();
    Ok(tally)
}

/// Shows every line as it comes, and counts it.
fn copy_lines(mut from: impl BufRead, tally: &mut Tally) -> Result<()> {
    let mut to = std::io::stdout().lock();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).context("reading what the tests print")? > 0 {
        to.write_all(&line).and_then(|()| to.flush()).context("showing what the tests print")?;
        tally.line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

fn report(tally: &Tally, began: Instant) {
    for name in &tally.failures {
        eprintln!("failed: {name}");
    }
    if tally.died > 0 {
        eprintln!("{} test binaries ended without a result; each counts as one failure", tally.died);
    }
    if tally.ignored > 0 {
        eprintln!("{} tests are marked as ignored and did not run", tally.ignored);
    }
    eprintln!("all in {}", spent(began.elapsed()));
    println!("{}", tally.summary());
}
