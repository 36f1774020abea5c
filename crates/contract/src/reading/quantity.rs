//! Durations and sizes with their units.

use std::time::Duration;

/// Reads a duration: a number and a unit, `500ms`, `1.5s`, `30s`, `5m`, `1h`, `2d`. Not longer than 366 days.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    let total = number * seconds;
    (total <= 366.0 * 86400.0).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

/// Reads a size or a rate in bytes: `64MiB`, `100MB` (10⁸), `1.5GiB`, `512B`, `100MB/s`. Not above 2⁵³.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text.strip_suffix("/s").unwrap_or(text))?;
    let bytes = match unit {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let total = (number * bytes).round();
    // Up to 2⁵³ a float holds every whole number exactly.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2⁵³")]
    (total <= 9_007_199_254_740_992.0).then_some(total as u64)
}

/// A plain decimal number and what stands behind it, a space between them or not.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.len() > 20 {
        return None;
    }
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("1.5s", 1500), ("5m", 300_000), ("1 h", 3_600_000)] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "30", "s", "-1s", "1 week", "1e9s", "400d", ".5s", "1..5s", "30 s ", "99999999999999999999999s"]
        {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_decimal_or_binary_as_written() {
        #[rustfmt::skip]
        let table = [("100MB", 100_000_000), ("64MiB", 64 << 20), ("1.5KiB", 1536), ("0B", 0), ("50MB/s", 50_000_000)];
        for (text, bytes) in table {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for bad in ["", "100", "MB", "-1MB", "1mb", "1 GiBs", "99999999TB", "60fps"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
