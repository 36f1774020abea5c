//! Durations and sizes of settings: read from texts with their units, or from numbers of milliseconds and bytes.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::reading::quantity::{parse_duration, parse_size};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

/// A duration.
pub(super) mod duration {
    use super::*;

    /// Milliseconds, or a text with its unit.
    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        option_duration::deserialize(deserializer)?.ok_or_else(|| serde::de::Error::custom("not a duration"))
    }

    /// The largest unit that loses nothing.
    pub(in crate::settings) fn serialize<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let millis = time.as_millis();
        let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
        let unit = units.into_iter().find(|(length, _)| millis > 0 && millis.is_multiple_of(*length));
        to.collect_str(&match unit {
            Some((length, unit)) => format!("{}{unit}", millis / length),
            None => format!("{millis}ms"),
        })
    }
}

/// A duration, or nothing.
pub(super) mod option_duration {
    use super::*;

    /// As [`duration`].
    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let wrong = || serde::de::Error::custom("not a duration");
        match Option::<Written>::deserialize(deserializer)? {
            Some(Written::Number(millis)) => Ok(Some(Duration::from_millis(millis))),
            Some(Written::Text(text)) => parse_duration(&text).map(Some).ok_or_else(wrong),
            None => Ok(None),
        }
    }

    /// As [`duration`].
    pub(in crate::settings) fn serialize<S: serde::Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => duration::serialize(time, to),
            None => to.serialize_none(),
        }
    }
}

/// A size.
pub(super) mod size {
    use super::*;

    /// Bytes, or a text with its unit.
    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        option_size::deserialize(deserializer)?.ok_or_else(|| serde::de::Error::custom("not a size"))
    }
}

/// A size, or nothing.
pub(super) mod option_size {
    use super::*;

    /// As [`size`].
    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        let wrong = || serde::de::Error::custom("not a size");
        match Option::<Written>::deserialize(deserializer)? {
            Some(Written::Number(bytes)) => Ok(Some(bytes)),
            Some(Written::Text(text)) => parse_size(&text).map(Some).ok_or_else(wrong),
            None => Ok(None),
        }
    }
}
