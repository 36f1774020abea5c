//! `cargo xtask`: picks the task.

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::{bench, ci_checks, demo, generate, guests, test};

const HELP: &str = "\
Development tasks.

Usage: cargo xtask TASK [OPTIONS]

Tasks:
  demo                     build what it needs, open real files with the example plugins, show what they made of them
  test [--quick]           set up what the tests need and run them all; --quick is the inner loop
  test --full              the same with 100 x 1,000 calls and 1,000 cycles in every runtime and placement, not in two
  test --list-cells        run the list of behaviours in every runtime and placement, show what became of each; also --full
  generate [--check]       write the committed files that are made from code, or check that they are current
  guests [--check]         build the committed WebAssembly files from their sources, or check that they are current
  bench [OPTIONS]          measure, in the release profile; see `cargo xtask bench --help`
  ci-checks                formatting, clippy, rustdoc, cargo-deny, generated files, guests

MIDPLANE_NO_INSTALL=1 keeps `test` from installing missing system packages.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((task, rest)) = arguments.split_first() else {
        eprint!("{HELP}");
        return Ok(ExitCode::from(2));
    };
    match task.as_str() {
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "generate" => generate::run(rest),
        "guests" => guests::run(rest),
        "bench" => bench::run(rest),
        "ci-checks" => ci_checks::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("there is no task `{task}`; `cargo xtask help` lists them"),
    }
}
