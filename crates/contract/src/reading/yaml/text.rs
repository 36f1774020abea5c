//! Whether bytes are text at all, and JSON where they say so.

use super::{FaultCode, Mark, Outcome, Wording, stop};

/// Bytes as text, without a byte order mark.
pub(super) fn utf8<'t>(words: &Wording, bytes: &'t [u8]) -> Outcome<&'t str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).or_else(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        let last = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let at = Mark { line, column: String::from_utf8_lossy(last).chars().count() + 1 };
        stop(FaultCode::Syntax, at, format!("{} is not UTF-8 text", words.what), "save it as UTF-8")
    })
}

/// JSON is nearly a part of YAML, but a `.json` file should be readable by every JSON reader.
pub(super) fn check_json(text: &str) -> Outcome<()> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).or_else(|error| {
        let at = Mark { line: error.line().max(1), column: error.column().max(1) };
        stop(FaultCode::Syntax, at, format!("this is not JSON: {error}"), "correct the text, or name the file .yaml")
    })
}
