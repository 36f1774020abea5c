//! Enough of a value to recognize it, safe to print.

use serde_json::Value;

/// Characters shown of a text at most.
const SHOWN: usize = 320;
/// Bytes shown of what is no text at most.
const BYTES: usize = 24;

/// A text with its control characters escaped, cut where it is long.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN) {
        match c.is_control() && c != '\n' && c != '\t' {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str(&format!("… ({} bytes in all)", text.len()));
    }
    shown
}

/// Bytes: as text where they are, otherwise the first of them in hexadecimal digits.
pub(super) fn bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing (0 bytes)".to_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(shown) => text(shown),
        Err(_) => {
            let digits: Vec<String> = bytes.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > BYTES { " …" } else { "" };
            format!("{} bytes: {}{more}", bytes.len(), digits.join(" "))
        }
    }
}

/// A value as JSON on one line.
pub(super) fn json(value: &Value) -> String {
    text(&value.to_string())
}

/// Two texts from shortly before their first difference on, so that long ones show where they differ. With the line
/// and the column of the difference, from 1.
pub(super) fn difference(expected: &str, got: &str) -> (String, String, usize, usize) {
    const BEFORE: usize = 40;
    let same = expected.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
    let common: String = expected.chars().take(same).collect();
    let line = common.matches('\n').count() + 1;
    let column = common.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let from = |whole: &str| {
        let skipped = same.saturating_sub(BEFORE);
        let rest: String = whole.chars().skip(skipped).collect();
        let cut = if skipped > 0 { "…" } else { "" };
        match rest.is_empty() {
            true => format!("{cut}(it ends here)"),
            false => format!("{cut}{}", text(&rest)),
        }
    };
    (from(expected), from(got), line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_dangerous_values_are_shown_short_and_escaped() {
        let long = "x".repeat(10_000);
        assert!(text(&long).len() < 400 && text(&long).contains("10000 bytes"));
        assert_eq!(text("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(bytes(b"\xff\x00"), "2 bytes: ff 00");
        assert!(bytes(&[0xff; 1000]).len() < 120);
        assert_eq!(bytes(b""), "nothing (0 bytes)");
    }

    #[test]
    fn the_place_of_a_difference_is_shown() {
        let (expected, got) = (format!("{}\nsame, one", "y".repeat(5000)), format!("{}\nsame, two", "y".repeat(5000)));
        let (a, b, line, column) = difference(&expected, &got);
        assert_eq!((line, column), (2, 7));
        assert!(a.ends_with("one") && b.ends_with("two") && a.len() < 100, "{a} {b}");
        assert_eq!(difference("ab", "abc").0, "ab");
        assert_eq!(difference("", "abc").0, "(it ends here)");
    }
}
