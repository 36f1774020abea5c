//! Clocks and chance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::Context;
use crate::{Error, Result};

/// The host's clocks, and chance.
impl Context<'_> {
    /// The time of day, to the nanosecond. Works where `SystemTime::now` does not: in a core WebAssembly module.
    ///
    /// # Errors
    /// What the host answers.
    pub fn now(&self) -> Result<SystemTime> {
        let text: String = self.read("time.now", &json!({}), &[])?;
        moment(&text)
            .ok_or_else(|| Error::new("protocol_error", format!("the host's answer to time.now is no time: {text}")))
    }

    /// A clock that never goes back; only differences mean something.
    ///
    /// # Errors
    /// What the host answers.
    pub fn monotonic(&self) -> Result<Duration> {
        self.read("time.monotonic", &json!({}), &[]).map(Duration::from_nanos)
    }

    /// Random bytes, at most 65,536.
    ///
    /// # Errors
    /// What the host answers; `limit_exceeded` beyond that many.
    pub fn random(&self, bytes: u32) -> Result<Vec<u8>> {
        self.host("random", &json!({"bytes": bytes}), &[])
    }
}

/// A time in RFC 3339, with any offset.
fn moment(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, zone) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hours, minutes, seconds] = numbers(clock, ':')?;
    let [ahead, ahead_minutes] = if matches!(zone, "Z" | "z") { [0, 0] } else { numbers(zone.get(1..)?, ':')? };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let offset = (ahead * 60 + ahead_minutes) * if zone.starts_with('-') { -60 } else { 60 };
    let since = days(year, month, day) * 86_400 + hours * 3_600 + minutes * 60 + seconds - offset;
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let distance = Duration::from_secs(since.unsigned_abs());
    let whole = if since < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    whole?.checked_add(Duration::from_nanos(nanos.into()))
}

/// Numbers between separators, of digits alone.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
    let parts: Option<Vec<i64>> = text.split(separator).map(digits).collect();
    parts?.try_into().ok()
}

/// Days since 1970 in the Gregorian calendar: Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_of_rfc_3339() {
        let at = |seconds: u64, nanos: u32| Some(UNIX_EPOCH + Duration::new(seconds, nanos));
        assert_eq!(moment("1970-01-01T00:00:00Z"), at(0, 0));
        assert_eq!(moment("2000-02-29T12:00:00.5Z"), at(951_825_600, 500_000_000));
        assert_eq!(moment("2026-11-21T08:17:17.123456789123Z"), at(1_795_249_037, 123_456_789));
        assert_eq!(moment("2026-11-21t10:17:17+02:00"), at(1_795_249_037, 0));
        assert_eq!(moment("2026-11-21 06:47:17-01:30"), at(1_795_249_037, 0));
        assert_eq!(moment("1969-12-31T23:59:59.25Z"), Some(UNIX_EPOCH - Duration::from_millis(750)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "2026-11-21T08:17:17",
            "2026-1-+1T08:17:17Z",
            "é026-11-21T",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
