//! Bytes as hexadecimal digits, and back.

use std::fmt::Write as _;

pub(crate) fn write(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The bytes, or why these are no digits.
pub(crate) fn read(digits: &str) -> Result<Vec<u8>, String> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2).unwrap_or_default(), 16);
    let bytes: Result<Vec<u8>, _> = (0..digits.len()).step_by(2).map(byte).collect();
    bytes.map_err(|error| format!("`{digits}` are no hexadecimal digits: {error}"))
}
