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
    /// The design sets no target: the ratio is shown and not judged.
    Shown,
}

impl Target {
    /// Ours in the target's own measure: the difference or the ratio.
    pub(crate) fn reached(self, raw: f64, ours: f64) -> f64 {
        match self {
            Self::AddedNanos(_) | Self::AddedBytes(_) => ours - raw,
            Self::TimesRaw(_) | Self::Shown => ours / raw,
        }
    }

    /// Whether that is good enough; `None` where nothing is asked for.
    pub(crate) fn is_met_by(self, reached: f64) -> Option<bool> {
        self.limit().map(|most| reached <= most)
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::AddedNanos(_) => format!("{value:+.1} ns"),
            Self::TimesRaw(_) | Self::Shown => format!("{value:.2} ×"),
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

    /// The target's own number, where there is one.
    pub(crate) fn limit(self) -> Option<f64> {
        match self {
            Self::AddedNanos(most) | Self::TimesRaw(most) | Self::AddedBytes(most) => Some(most),
            Self::Shown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_nanoseconds_more_turn_a_row_red() {
        let target = Target::AddedNanos(15.0);
        assert_eq!(target.is_met_by(target.reached(2.0, 15.0)), Some(true));
        assert_eq!(target.is_met_by(target.reached(2.0, 115.0)), Some(false));
        assert_eq!(Target::TimesRaw(1.7).is_met_by(Target::TimesRaw(1.7).reached(35.0, 140.0)), Some(false));
    }
}
