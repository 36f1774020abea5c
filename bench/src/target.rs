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
    /// Ours takes at most so many nanoseconds, or so many times as long as raw where the machine is slower than the design's.
    Within { nanos: f64, times: f64 },
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
            Self::TimesRaw(_) | Self::Within { .. } | Self::Shown => ours / raw,
        }
    }

    /// Whether what was reached, or ours by itself, is good enough; `None` where nothing is asked for.
    pub(crate) fn is_met_by(self, reached: f64, ours: f64) -> Option<bool> {
        let in_time = matches!(self, Self::Within { nanos, .. } if ours <= nanos);
        self.limit().map(|most| in_time || reached <= most)
    }

    /// For people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::AddedNanos(_) => format!("{value:+.1} ns"),
            Self::TimesRaw(_) | Self::Within { .. } | Self::Shown => format!("{value:.2} ×"),
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
            Self::Within { times, .. } => Some(times),
            Self::Shown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_nanoseconds_more_turn_a_row_red() {
        let met = |target: Target, raw: f64, ours: f64| target.is_met_by(target.reached(raw, ours), ours);
        assert_eq!(met(Target::AddedNanos(15.0), 2.0, 15.0), Some(true));
        assert_eq!(met(Target::AddedNanos(15.0), 2.0, 115.0), Some(false));
        assert_eq!(met(Target::TimesRaw(1.7), 35.0, 140.0), Some(false));
    }

    #[test]
    fn what_has_a_time_is_judged_by_it_and_on_a_slower_machine_by_its_ratio() {
        let within = Target::Within { nanos: 5e6, times: 2.0 };
        let met = |raw: f64, ours: f64| within.is_met_by(within.reached(raw, ours), ours);
        assert_eq!((met(1.4e6, 3.5e6), met(4e6, 7e6), met(2.5e6, 5.1e6)), (Some(true), Some(true), Some(false)));
    }
}
