//! Columns of text.

/// Lays rows out in columns, two spaces between them; the last column is as wide as it is.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (number, cell) in row.iter().enumerate() {
            let width = rows.iter().filter_map(|row| row.get(number)).map(|cell| cell.chars().count()).max();
            line.push_str(&format!("{cell:<width$}  ", width = width.unwrap_or(0)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(columns(&[row("a", "x"), row("ünd", "")]), "a    x\nünd\n");
    }
}
