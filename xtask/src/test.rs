//! `cargo xtask test`: sets up what the tests need, runs them all and adds up what they report.

use std::io::{BufRead, BufReader, Write};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::cells::{self, Outcome, Said};
use crate::step::{Step, spent};
use crate::tally::Tally;
use crate::{build, cargo, packages, prerequisites, stage, suites};

/// The inner loop: what changes most and needs no wasm engine.
const QUICK: &[&str] =
    &["midplane-contract", "midplane-kernel", "midplane-node", "midplane-sdk", "midplane-testkit", "xtask"];

/// Which tests are run, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// `--quick`: the inner loop alone.
    pub quick: bool,
    /// `--list-cells`: the list of behaviours alone, in all cells, and the table of what became of it.
    pub list_cells: bool,
    /// `--full`: 100 tasks with 1,000 calls each and 1,000 cycles in all cells, not in two.
    pub full: bool,
}

impl Choice {
    /// Reads the flags.
    ///
    /// # Errors
    /// Anything else, and `--quick` beside another: what it runs has none of the rest.
    pub fn of(arguments: &[String]) -> Result<Self> {
        let mut choice = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--quick" => choice.quick = true,
                "--list-cells" => choice.list_cells = true,
                "--full" => choice.full = true,
                _ => bail!(
                    "`cargo xtask test` takes --quick, --full and --list-cells, not `{argument}`; \
                     for single tests use `cargo test -p CRATE NAME`"
                ),
            }
        }
        if choice.quick && (choice.list_cells || choice.full) {
            bail!("--quick runs no cells: leave it out, or leave out --list-cells and --full");
        }
        Ok(choice)
    }
}

/// Runs `cargo xtask test`. The last line on stdout is `N passed, N failed`.
///
/// # Errors
/// Unknown arguments, missing tools, code that does not build. Failing tests are an exit code, not an error.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let choice = Choice::of(arguments)?;
    let began = Instant::now();
    prerequisites::ensure()?;
    let tally = match choice {
        Choice { quick: true, .. } => test(&selection(), choice, |_| {})?,
        Choice { list_cells: true, .. } => list_cells(choice)?,
        _ => everything(choice)?,
    };
    report(&tally, began);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn everything(choice: Choice) -> Result<Tally> {
    build::everything()?;
    stage::examples()?;
    build::tests()?;
    let mut tally = test(&["--workspace", "--no-fail-fast"], choice, |_| {})?;
    suites::run(&mut tally)?;
    packages::run(&mut tally)?;
    Ok(tally)
}

/// Runs the list of behaviours and shows what became of each of its places. One that did not run is a failure.
fn list_cells(choice: Choice) -> Result<Tally> {
    build::everything()?;
    let places = cells::places()?;
    let mut said = Said::default();
    let selection = ["--workspace", "--test", "it", "--no-fail-fast", "--", "matrix::"];
    let mut tally = test(&selection, choice, |line| said.line(line))?;
    print!("\n{}", cells::table(&places, &said));
    // The table has them.
    tally.left_out.clear();
    for place in places.iter().filter(|place| said.of(place) == Outcome::Missing) {
        tally.failed += 1;
        tally.failures.push(format!("{} (the list has it, and it did not run)", place.test));
    }
    Ok(tally)
}

fn selection() -> Vec<&'static str> {
    QUICK.iter().flat_map(|name| ["-p", name]).chain(["--no-fail-fast"]).collect()
}

/// Runs `cargo test`, shows and counts what it prints, and hands on each line.
fn test(arguments: &[&str], choice: Choice, mut heard: impl FnMut(&str)) -> Result<Tally> {
    let mut command = cargo::command();
    command.arg("test").args(arguments).stdout(Stdio::piped());
    if choice.full {
        command.env("MIDPLANE_FULL", "1");
    }
    let step = Step::begin("Testing", &cargo::line(&command));
    let mut child = command.spawn().context("starting `cargo test`")?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        copy_lines(BufReader::new(stdout), |line| {
            tally.line(line);
            heard(line);
        })?;
    }
    let status = child.wait().context("waiting for `cargo test`")?;
    tally.end(status.success());
    step.done();
    Ok(tally)
}

/// Shows every line as it comes, and hands it on.
fn copy_lines(mut from: impl BufRead, mut heard: impl FnMut(&str)) -> Result<()> {
    let mut to = std::io::stdout().lock();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).context("reading what the tests print")? > 0 {
        to.write_all(&line).and_then(|()| to.flush()).context("showing what the tests print")?;
        heard(String::from_utf8_lossy(&line).trim_end());
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
    for name in &tally.left_out {
        eprintln!("left out: {name}");
    }
    eprintln!("all in {}", spent(began.elapsed()));
    println!("{}", tally.summary());
}
