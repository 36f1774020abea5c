//! `cargo xtask bench`: each raw limit and Midplane beside it, interleaved in one run, judged by ratio or difference.

mod cycle;
mod measure;
mod one_core;
mod outcome;
mod peer;
mod plugins;
mod repeater;
mod report;
mod rows;
mod service;
mod socket;
mod target;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::measure::Effort;
use crate::outcome::Outcome;

const HELP: &str = "\
cargo xtask bench [--quick] [--output json] [--only TEXT] [--handicap NANOSECONDS]

Measures raw limits and Midplane beside them, interleaved in one run, and judges each row by its target.
Ends with 0 when every target is met and 1 when one is not.

  --quick          fewer rounds: a first look, wide spreads
  --output json    the rows as JSON
  --only TEXT      only rows whose name contains TEXT
  --handicap NS    spins so long in every call of ours: shows that the judgement notices";

/// What the command line asks for.
struct Options {
    effort: Effort,
    json: bool,
    only: Option<String>,
    handicap: Duration,
}

fn main() -> ExitCode {
    midplane::worker::run_if_child();
    if let Some(code) = socket::run_if_echo() {
        return code;
    }
    match options(std::env::args().skip(1)).and_then(|options| options.map_or(Ok(true), |options| run(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(7)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let mut options = Options { effort: Effort::FULL, json: false, only: None, handicap: Duration::ZERO };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| anyhow::anyhow!("{argument} needs a value\n\n{HELP}"));
        match argument.as_str() {
            "--quick" => options.effort = Effort::QUICK,
            "--output" => match value()?.as_str() {
                "json" => options.json = true,
                "text" => options.json = false,
                other => bail!("--output is `json` or `text`, not `{other}`"),
            },
            "--only" => options.only = Some(value()?),
            "--handicap" => options.handicap = Duration::from_nanos(value()?.parse()?),
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(None);
            }
            other => bail!("unknown argument `{other}`\n\n{HELP}"),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<bool> {
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| name.contains(only));
    let mut results = Vec::new();
    for row in rows::all().into_iter().filter(|row| wanted(row.name)) {
        eprintln!("measuring {} …", row.name);
        results.push(Outcome::of(row.name, row.measure(options.effort, options.handicap))?);
    }
    if options.json {
        report::json(&results)?
    } else {
        report::text(&results)
    }
    Ok(!results.iter().any(Outcome::is_missed))
}
