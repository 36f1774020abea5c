//! Secrets by reference: where one is, never what it is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The only field of a map that stands for a secret in a configuration: `{secret: env:TOKEN}`.
pub const FIELD: &str = "secret";

/// Where a secret is. Showing it shows the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// A variable of the host's environment.
    Env(String),
    /// A file, without the line's end at its end.
    File(PathBuf),
    /// A secret of the host's settings, by its name.
    Named(String),
}

/// A text that says no place of a secret. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not say where the secret is: write `env:NAME` or `file:PATH`")]
pub struct NoPlace;

impl SecretRef {
    /// The secret that a value of a configuration stands for: that of a map with the one field `secret`. There the name
    /// of a secret of the settings will do as well. `None` for every other value.
    ///
    /// # Errors
    /// Such a map that says no place.
    #[must_use]
    pub fn in_value(value: &Value) -> Option<Result<Self, NoPlace>> {
        let map = value.as_object().filter(|map| map.len() == 1)?;
        Some(match map.get(FIELD)? {
            Value::String(text) if is_name(text) => Ok(Self::Named(text.clone())),
            Value::String(text) => text.parse(),
            _ => Err(NoPlace),
        })
    }

    /// Every secret that values of a configuration stand for.
    #[must_use]
    pub fn all_in(config: &Map<String, Value>) -> Vec<Self> {
        fn collect(value: &Value, found: &mut Vec<SecretRef>) {
            match (SecretRef::in_value(value), value) {
                (Some(place), _) => found.extend(place),
                (None, Value::Array(items)) => items.iter().for_each(|item| collect(item, found)),
                (None, Value::Object(map)) => map.values().for_each(|value| collect(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        config.values().for_each(|value| collect(value, &mut found));
        found
    }

    /// The value of a configuration that stands for it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(Map::from_iter([(FIELD.to_owned(), Value::String(self.to_string()))]))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

impl FromStr for SecretRef {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let filled = |text: &str| !text.is_empty() && text.len() <= 1024 && !text.contains('\0');
        match text.split_once(':') {
            Some(("env", name)) if filled(name) && !name.contains('=') => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if filled(path) => Ok(Self::File(path.into())),
            _ => Err(NoPlace),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reference_says_where_a_secret_is() {
        assert_eq!("env:TOKEN".parse(), Ok(SecretRef::Env("TOKEN".into())));
        assert_eq!("file:/run/key".parse(), Ok(SecretRef::File("/run/key".into())));
        for bad in ["", "token", "env:", "env:A=B", "file:", "vault:x"] {
            assert_eq!(bad.parse::<SecretRef>(), Err(NoPlace), "{bad}");
        }
    }

    #[test]
    fn only_a_map_with_that_one_field_stands_for_a_secret() {
        let place = |value: Value| SecretRef::in_value(&value);
        assert_eq!(place(json!({"secret": "env:A"})), Some(Ok(SecretRef::Env("A".into()))));
        assert_eq!(place(json!({"secret": "spotify"})), Some(Ok(SecretRef::Named("spotify".into()))));
        assert_eq!(place(json!({"secret": 1})), Some(Err(NoPlace)));
        assert_eq!(place(json!({"secret": "env:A", "b": 1})), None);
        assert_eq!(place(json!("env:A")), None);
    }
}
