//! The table of `cargo xtask test --list-cells`: what became of each behaviour in each cell.
//!
//! What is to be there comes from the list of behaviours; what became of it comes from the runner alone. A place of the list
//! that the runner did not report, or not as the list has it, is missing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{build, cargo};

/// A place of the list: one behaviour in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The behaviour, as the list calls it.
    pub behaviour: String,
    /// The cell, as the list calls it.
    pub cell: String,
    /// The test that tries it, as the runner calls it.
    pub test: String,
    /// Why it does not apply, if so.
    pub reason: Option<String>,
}

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The test ran and passed.
    Passed,
    /// The test ran and failed.
    Failed,
    /// The list says that it does not apply, and the runner that it left the test out for that reason.
    NotApplicable,
    /// The runner said nothing of it, or left out what the list has.
    Missing,
}

impl Outcome {
    fn shown(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "FAILED",
            Self::NotApplicable => "n/a",
            Self::Missing => "MISSING",
        }
    }
}

/// The places of the list, as the test kit prints them.
///
/// # Errors
/// When the program that prints them does not build or run.
pub fn places() -> Result<Vec<Place>> {
    let text = cargo::output_of(&mut Command::new(build::program("behaviours")?))?;
    text.lines().map(|line| serde_json::from_str(line).context("reading the list of behaviours")).collect()
}

/// What the runner said of each test. Feed it every line of standard output.
#[derive(Debug, Default)]
pub struct Said(BTreeMap<String, String>);

impl Said {
    /// Takes one line of output: `test NAME ... ok`, `... FAILED` or `... ignored, REASON`.
    pub fn line(&mut self, line: &str) {
        let Some((name, said)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else { return };
        self.0.insert(name.to_owned(), said.to_owned());
    }

    /// What became of a place.
    #[must_use]
    pub fn of(&self, place: &Place) -> Outcome {
        let said = self.0.get(&place.test).map_or("", String::as_str);
        match (&place.reason, said) {
            (None, "ok") => Outcome::Passed,
            (_, "FAILED") => Outcome::Failed,
            (Some(reason), said) if said.strip_prefix("ignored, ") == Some(reason) => Outcome::NotApplicable,
            _ => Outcome::Missing,
        }
    }
}

/// How many columns stand side by side, so that the table is no wider than a page.
const ABREAST: usize = 6;

/// The table: a row for each behaviour, a column for each cell, in several parts, then the reasons why some do not apply.
#[must_use]
pub fn table(places: &[Place], said: &Said) -> String {
    let cells = distinct(places.iter().map(|place| place.cell.as_str()));
    let mut text = String::new();
    for cells in cells.chunks(ABREAST) {
        part(&mut text, cells, places, said);
        text.push('\n');
    }
    for place in places.iter().filter(|place| said.of(place) == Outcome::NotApplicable) {
        let reason = place.reason.as_deref().unwrap_or_default();
        let _ = writeln!(text, "n/a: {} in {}: {reason}", place.behaviour, place.cell);
    }
    text
}

fn part(text: &mut String, cells: &[&str], places: &[Place], said: &Said) {
    let rows = distinct(places.iter().map(|place| place.behaviour.as_str()));
    let first = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let mut line = |name: &str, columns: &dyn Fn(&str) -> String| {
        let columns: Vec<String> = cells.iter().map(|cell| format!("{:<w$}", columns(cell), w = width(cell))).collect();
        let _ = writeln!(text, "{}", format!("{name:<first$}  {}", columns.join("  ")).trim_end());
    };
    // `component/in-process` in two lines is half as wide.
    line("", &|cell| cell.split('/').next().unwrap_or_default().to_owned());
    if cells.iter().any(|cell| cell.contains('/')) {
        line("", &|cell| cell.split('/').nth(1).unwrap_or_default().to_owned());
    }
    for row in rows {
        let place = |cell: &str| places.iter().find(|place| place.behaviour == row && place.cell == cell);
        line(row, &|cell| place(cell).map_or(Outcome::Missing, |place| said.of(place)).shown().to_owned());
    }
}

fn width(cell: &str) -> usize {
    cell.split('/').map(str::len).chain([Outcome::Missing.shown().len()]).max().unwrap_or(0)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    names.for_each(|name| {
        if !seen.contains(&name) {
            seen.push(name);
        }
    });
    seen
}
