//! Showing the rows.

use anyhow::Result;

use crate::measure::Measured;

/// As a table.
pub(crate) fn text(results: &[Measured]) {
    println!(
        "{:<44} {:>10} {:>10} {:>12} {:>12} {:>4} {:>10} {:>10}",
        "row", "raw", "ours", "reached", "target", "met", "spread", "n"
    );
    for row in results {
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
    let missed = results.iter().filter(|row| row.met == Some(false)).count();
    println!(
        "\n{} rows, {missed} missed. Medians of rounds in turn; spread is the distance of the quartiles.",
        results.len()
    );
}

/// As JSON.
pub(crate) fn json(results: &[Measured]) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(results)?);
    Ok(())
}
