//! Names: plugin ids, action names, and the address `ID/ACTION` that joins them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a name was refused. Its text says which rule was broken and shows the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a plugin id.
    #[error("`{0}` is not a plugin id: use 1 to 128 of a-z 0-9 . _ - with a letter or digit first and last")]
    PluginId(String),
    /// Not an action name.
    #[error("`{0}` is not an action name: use letters, digits and _ . : / @ # - (1 to 256 of them)")]
    ActionName(String),
    /// Not an address.
    #[error("`{0}` is not an address: write PLUGIN/ACTION, for example `text-stats/count`")]
    Address(String),
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr, $error:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes a name. Fails with a text that states the rule.
            pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
                let name = name.as_ref();
                if $check(name) { Ok(Self(name.into())) } else { Err($error(name.to_owned())) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// A plugin's id: 1–128 of `a–z 0–9 . _ -`, first and last alphanumeric. Cheap to clone.
    PluginId, is_plugin_id, NameError::PluginId
);

name_type!(
    /// The name of an action: 1–256 letters, digits and `_ . : / @ # -`. Cheap to clone.
    ActionName, is_action_name, NameError::ActionName
);

fn is_plugin_id(id: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let bytes = id.as_bytes();
    (1..=128).contains(&bytes.len()) && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|b| inner(*b))
}

fn is_action_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || "_.:/@#-".contains(c))
}

/// Where a call goes: a plugin and one of its actions, written `ID/ACTION` and split at the first `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The plugin.
    pub plugin: PluginId,
    /// The action; it may itself hold `/`.
    pub action: ActionName,
}

impl FromStr for Address {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (plugin, action) = text.split_once('/').ok_or_else(|| NameError::Address(text.to_owned()))?;
        Ok(Self { plugin: PluginId::new(plugin)?, action: ActionName::new(action)? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.plugin, self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugin_ids_follow_the_rule() {
        for good in ["a", "7", "video-card-plugin", "a.b_c-9", &"x".repeat(128)] {
            assert!(PluginId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a/b", "ü", "a b", ".", &"x".repeat(129)] {
            assert!(PluginId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_split_at_the_first_slash() {
        let address: Address = "text-stats/v1/count".parse().unwrap();
        assert_eq!(address.plugin.as_str(), "text-stats");
        assert_eq!(address.action.as_str(), "v1/count");
        assert_eq!(address.to_string(), "text-stats/v1/count");
        assert!("no-slash".parse::<Address>().is_err());
        assert!("a/".parse::<Address>().is_err());
    }
}
