//! Answers, as people like to see them.

use std::time::Duration;

/// As much of an answer as fits a glance.
const LINES: usize = 16;

/// Columns that most terminals have.
const COLUMNS: usize = 110;

/// Prints an answer: the beginning of a text, JSON with one entry a line, format and size of a picture.
pub(super) fn answer(bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => beginning(&readable(text)),
        Err(_) => println!("    {}", binary(bytes)),
    }
}

/// Size and time on one line.
pub(super) fn cost(size: usize, took: Duration) -> String {
    format!("{size} bytes, {} ms from start to exit", took.as_millis())
}

/// JSON objects get one entry a line, everything else stays.
fn readable(text: &str) -> String {
    let Ok(serde_json::Value::Object(entries)) = serde_json::from_str(text) else { return text.to_owned() };
    let lines: Vec<String> = entries.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

fn beginning(text: &str) {
    for line in text.lines().take(LINES) {
        let cut: String = line.chars().take(COLUMNS).collect();
        let more = if cut.len() < line.len() { " …" } else { "" };
        println!("    {cut}{more}");
    }
    let left = text.lines().count().saturating_sub(LINES);
    if left > 0 {
        println!("    … lines left: {left}");
    }
}

/// A PNG says its size in its first 24 bytes: signature (8), chunk length (4), `IHDR`, width (4), height (4).
fn binary(bytes: &[u8]) -> String {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    match (bytes.starts_with(b"\x89PNG\r\n\x1a\n"), number(16), number(20)) {
        (true, Some(width), Some(height)) => format!("a PNG picture of {width} × {height} pixels"),
        _ => "not text".to_owned(),
    }
}
