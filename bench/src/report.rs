//! Showing the rows.

use anyhow::Result;

use crate::measure::Measured;
use crate::outcome::Outcome;

/// As a table.
pub(crate) fn text(results: &[Outcome]) {
    println!(
        "{:<44} {:>10} {:>10} {:>12} {:>12} {:>4} {:>10} {:>10}",
        "row", "raw", "ours", "reached", "target", "met", "spread", "n"
    );
    for outcome in results {
        match outcome {
            Outcome::Measured(row) => line(row),
            Outcome::Missing { row, missing } => println!("{row:<44} not measured: {missing}"),
        }
    }
    let missed = results.iter().filter(|row| row.is_missed()).count();
    println!(
        "\n{} rows, {missed} missed. Medians of rounds in turn; spread is the distance of the quartiles.",
        results.len()
    );
}

fn line(row: &Measured) {
    println!(
        "{:<44} {:>10} {:>10} {:>12} {:>12} {:>4} {:>10} {:>10}",
        row.row,
        row.target.show_value(row.raw),
        row.target.show_value(row.ours),
        row.target.show(row.reached),
        row.target.limit().map_or("–".to_owned(), |limit| row.target.show(limit)),
        row.met.map_or("–", |met| if met { "yes" } else { "NO" }),
        row.target.show(row.spread).trim_start_matches('+'),
        row.n
    );
}

/// As JSON.
pub(crate) fn json(results: &[Outcome]) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(results)?);
    Ok(())
}
