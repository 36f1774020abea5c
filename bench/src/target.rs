//! What a row has to reach.

use serde::Serialize;

/// How ours is held against raw. Where it comes from stands in the row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Ours takes at most so many nanoseconds more than raw.
    AddedNanos(f64),
    /// Ours takes at most so many times as long as raw.
    TimesRaw(f64),
    /// Ours takes at most so many bytes more than raw.
    AddedBytes(f64),
}

impl Target {
    /// Ours in the target's own measure: the difference or the ratio.
    pub(crate) fn reached(self, raw: f64, ours: f64) -> f64 {
        match self {
            Self::AddedNanos(_) | Self::AddedBytes(_) => ours - raw,
            Self::TimesRaw(_) => ours / raw,
        }
    }

    /// Whether that is good enough.
    pub(crate) fn is_met_by(self, reached: f64) -> bool {
        match self {
            Self::AddedNanos(most) | Self::TimesRaw(most) | Self::AddedBytes(most) => reached <= most,
        }
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::AddedNanos(_) => format!("{value:+.1} ns"),
            Self::TimesRaw(_) => format!("{value:.2} ×"),
            Self::AddedBytes(_) => format!("{:+.1} KiB", value / 1024.0),
        }
    }

    /// A raw value or one of ours, for people.
    pub(crate) fn show_value(self, value: f64) -> String {
        match self {
            Self::AddedBytes(_) => format!("{:.1} KiB", value / 1024.0),
            _ if value >= 1e6 => format!("{:.2} ms", value / 1e6),
            _ if value >= 1e3 => format!("{:.2} µs", value / 1e3),
            _ => format!("{value:.1} ns"),
        }
    }

    /// The target's own number.
    pub(crate) fn limit(self) -> f64 {
        match self {
            Self::AddedNanos(most) | Self::TimesRaw(most) | Self::AddedBytes(most) => most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_nanoseconds_more_turn_a_row_red() {
        let target = Target::AddedNanos(15.0);
        assert!(target.is_met_by(target.reached(2.0, 15.0)));
        assert!(!target.is_met_by(target.reached(2.0, 115.0)));
        assert!(!Target::TimesRaw(1.7).is_met_by(Target::TimesRaw(1.7).reached(35.0, 140.0)));
    }
}
