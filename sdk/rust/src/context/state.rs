//! The plugin's own storage.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Context, arguments, milliseconds, reply_of};
use crate::{Error, Result};

/// The plugin's own durable state: keys are text, values bytes. Times to live are rounded up to milliseconds; `None`
/// keeps a value for good.
impl Context<'_> {
    /// The value of a key; `None` where there is none.
    ///
    /// # Errors
    /// What the host answers.
    pub fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self.host("state.get", &arguments([("key", Some(key.into()))]), &[]) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code == "key_not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// [`Context::state_get`] of a value that is JSON.
    ///
    /// # Errors
    /// As [`Context::state_get`], and `invalid_reply` for a value that does not fit.
    pub fn state_get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.state_get(key)?.map(|value| reply_of(key, &value)).transpose()
    }

    /// Writes a key.
    ///
    /// # Errors
    /// What the host answers; `limit_exceeded` beyond the quota.
    pub fn state_set(&self, key: &str, value: &[u8], time_to_live: Option<Duration>) -> Result<()> {
        let args = arguments([("key", Some(key.into())), ("ttl_ms", time_to_live.map(milliseconds))]);
        self.host("state.set", &args, value).map(drop)
    }

    /// [`Context::state_set`] of a value as JSON.
    ///
    /// # Errors
    /// As [`Context::state_set`].
    pub fn state_set_json(&self, key: &str, value: &impl Serialize, time_to_live: Option<Duration>) -> Result<()> {
        self.state_set(key, &serde_json::to_vec(value)?, time_to_live)
    }

    /// Writes a key if its value still is `expected` (`None`: if there is none). Says whether it was written.
    ///
    /// # Errors
    /// `invalid_input` for an expected value that is not UTF-8, which the host cannot compare; what the host answers.
    pub fn state_compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        time_to_live: Option<Duration>,
    ) -> Result<bool> {
        let expected = expected.map(std::str::from_utf8).transpose();
        let expected =
            expected.map_err(|_| Error::invalid_input(format!("the expected value of {key} is not UTF-8")))?;
        let args = arguments([
            ("key", Some(key.into())),
            ("expected", expected.map(Value::from)),
            ("ttl_ms", time_to_live.map(milliseconds)),
        ]);
        self.read("state.compare_and_set", &args, value)
    }

    /// Removes a key; one that is not there is no error.
    ///
    /// # Errors
    /// What the host answers.
    pub fn state_delete(&self, key: &str) -> Result<()> {
        self.host("state.delete", &arguments([("key", Some(Value::from(key)))]), &[]).map(drop)
    }

    /// The keys that begin with a prefix; all for an empty one.
    ///
    /// # Errors
    /// What the host answers.
    pub fn state_list(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        self.read("state.list", &arguments([("prefix", prefix.map(Value::from))]), &[])
    }
}
