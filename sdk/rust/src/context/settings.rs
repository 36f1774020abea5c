//! Configuration and secrets.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Context, arguments};
use crate::{Error, Result};

/// Configuration and secrets.
impl Context<'_> {
    /// The plugin's effective configuration.
    ///
    /// # Errors
    /// `protocol_error` when it does not fit the type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        self.read("config.get", &json!({}), &[])
    }

    /// One value of it. A key that is not there reads as `null`: take an `Option`.
    ///
    /// # Errors
    /// As [`Context::config`].
    pub fn config_value<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.read("config.get", &arguments([("key", Some(key.into()))]), &[])
    }

    /// A secret by its name, as text.
    ///
    /// # Errors
    /// What the host says of a name that is not there; `protocol_error` for a secret that is not UTF-8.
    pub fn secret(&self, name: &str) -> Result<String> {
        let secret = self.host("secret.get", &arguments([("name", Some(name.into()))]), &[])?;
        String::from_utf8(secret).map_err(|_| {
            Error::new("protocol_error", format!("the secret {name} is not UTF-8; ask for it with `host`"))
        })
    }
}
