//! The rows: what is measured against what, and the targets with their sources.

mod bus;
mod calls;
mod folders;
mod javascript;
mod languages;
mod loads;
mod many;
mod remote;
mod resolver;
mod workers;

use std::time::Duration;

use anyhow::Result;

use crate::measure::{Effort, Measured};

/// One row.
pub(crate) struct Row {
    /// Its name.
    pub name: &'static str,
    run: fn(&'static str, Effort, Duration) -> Result<Measured>,
}

impl Row {
    /// Measures it; every call of ours spins for the handicap.
    pub(crate) fn measure(&self, effort: Effort, handicap: Duration) -> Result<Measured> {
        (self.run)(self.name, effort, handicap)
    }
}

/// Every row, in the order of the report.
pub(crate) fn all() -> Vec<Row> {
    let inside = [calls::rows(), javascript::rows(), workers::rows(), loads::rows(), many::rows()];
    inside
        .into_iter()
        .chain([bus::rows(), folders::rows(), languages::rows(), remote::rows(), resolver::rows()])
        .flatten()
        .collect()
}
