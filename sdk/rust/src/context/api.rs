//! The host API: one method per function of the contract. Every one may answer `permission_denied` (the plugin was
//! not granted it) or `not_supported` (this host does not do it).

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Context;
use crate::{Error, Result};

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What may become a fault.
    Warn,
    /// A fault.
    Error,
}

/// Log. Lines beyond 16 KiB are cut by the host. What the log answers is dropped: it must not fail a call.
impl Context<'_> {
    /// Writes a line with fields (a JSON object, or `null` for none).
    pub fn log(&self, level: Level, message: &str, fields: &Value) {
        #[cfg(target_family = "wasm")]
        crate::backend::abi::log(level, message, &fields.to_string());
        #[cfg(not(target_family = "wasm"))]
        let _ = self.host("log", &json!({"level": level, "message": message, "fields": fields}), &[]);
    }

    /// Writes a line at level `debug`.
    pub fn debug(&self, message: &str) {
        self.log(Level::Debug, message, &json!({}));
    }

    /// Writes a line at level `info`.
    pub fn info(&self, message: &str) {
        self.log(Level::Info, message, &json!({}));
    }

    /// Writes a line at level `warn`.
    pub fn warn(&self, message: &str) {
        self.log(Level::Warn, message, &json!({}));
    }

    /// Writes a line at level `error`.
    pub fn error(&self, message: &str) {
        self.log(Level::Error, message, &json!({}));
    }
}

/// Configuration and secrets.
impl Context<'_> {
    /// The plugin's effective configuration.
    ///
    /// # Errors
    /// `protocol_error` when it does not fit the type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        self.read("config.get", &json!({}))
    }

    /// One value of it.
    ///
    /// # Errors
    /// As [`Context::config`], and what the host says of a key that is not there.
    pub fn config_value<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.read("config.get", &json!({"key": key}))
    }

    /// A secret by name.
    ///
    /// # Errors
    /// What the host says of a name that is not there.
    pub fn secret(&self, name: &str) -> Result<Vec<u8>> {
        self.host("secret.get", &json!({"name": name}), &[])
    }
}

/// Other plugins.
impl Context<'_> {
    /// Calls another plugin's action by its address, `ID/ACTION`.
    ///
    /// # Errors
    /// What the call ends with: the other's own error, `deadline_exceeded`, `call_cycle`, …
    pub fn call(&self, address: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.host("call", &json!({"address": address}), input)
    }

    /// [`Context::call`] with JSON both ways.
    ///
    /// # Errors
    /// As [`Context::call`], and `protocol_error` for a reply that does not fit.
    pub fn call_json<T: DeserializeOwned>(&self, address: &str, input: &impl Serialize) -> Result<T> {
        let reply = self.call(address, &serde_json::to_vec(input)?)?;
        serde_json::from_slice(&reply)
            .map_err(|error| Error::new("protocol_error", format!("the reply of {address} does not fit: {error}")))
    }

    /// The providers of an interface.
    ///
    /// # Errors
    /// What the host answers.
    pub fn service_find(&self, interface: &str) -> Result<Value> {
        self.read("service.find", &json!({"interface": interface}))
    }

    /// Calls the chosen provider of an interface.
    ///
    /// # Errors
    /// As [`Context::call`].
    pub fn service_call(&self, interface: &str, action: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.host("service.call", &json!({"interface": interface, "action": action}), input)
    }
}

/// Events.
impl Context<'_> {
    /// Publishes an event; `data` is JSON.
    ///
    /// # Errors
    /// What the host answers.
    pub fn publish(&self, topic: &str, data: &impl Serialize) -> Result<()> {
        self.host("bus.publish", &json!({"topic": topic}), &serde_json::to_vec(data)?).map(drop)
    }

    /// Asks a topic and waits for one answer.
    ///
    /// # Errors
    /// What the host answers; `deadline_exceeded` when nobody does.
    pub fn request(&self, topic: &str, data: &[u8]) -> Result<Vec<u8>> {
        self.host("bus.request", &json!({"topic": topic}), data)
    }

    /// Begins to receive a topic through the `event` hook.
    ///
    /// # Errors
    /// What the host answers.
    pub fn subscribe(&self, topic: &str) -> Result<()> {
        self.host("bus.subscribe", &json!({"topic": topic}), &[]).map(drop)
    }

    /// Ends it.
    ///
    /// # Errors
    /// What the host answers.
    pub fn unsubscribe(&self, topic: &str) -> Result<()> {
        self.host("bus.unsubscribe", &json!({"topic": topic}), &[]).map(drop)
    }
}

/// The plugin's own durable state.
impl Context<'_> {
    /// Reads a key.
    ///
    /// # Errors
    /// What the host answers, also for a key that is not there.
    pub fn state_get(&self, key: &str) -> Result<Vec<u8>> {
        self.host("state.get", &json!({"key": key}), &[])
    }

    /// Writes a key; `time_to_live` of `None` keeps it for good.
    ///
    /// # Errors
    /// What the host answers; `limit_exceeded` beyond the quota.
    pub fn state_set(&self, key: &str, value: &[u8], time_to_live: Option<Duration>) -> Result<()> {
        let mut args = json!({"key": key});
        if let (Some(time), Value::Object(args)) = (time_to_live, &mut args) {
            args.insert("ttl_ms".to_owned(), json!(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
        }
        self.host("state.set", &args, value).map(drop)
    }

    /// Writes a key if it is still what the plugin read; `expected` of `None` means it was not there.
    ///
    /// # Errors
    /// What the host answers, also when it is something else by now.
    pub fn state_compare_and_set(&self, key: &str, expected: Option<&str>, value: &[u8]) -> Result<()> {
        self.host("state.compare_and_set", &json!({"key": key, "expected": expected}), value).map(drop)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// What the host answers.
    pub fn state_delete(&self, key: &str) -> Result<()> {
        self.host("state.delete", &json!({"key": key}), &[]).map(drop)
    }

    /// The keys that begin with a prefix.
    ///
    /// # Errors
    /// What the host answers.
    pub fn state_list(&self, prefix: &str) -> Result<Vec<String>> {
        self.read("state.list", &json!({"prefix": prefix}))
    }
}

/// Measurements, the web, clocks and chance.
impl Context<'_> {
    /// Adds to a counter.
    ///
    /// # Errors
    /// What the host answers.
    pub fn count(&self, name: &str, value: u64) -> Result<()> {
        self.host("metrics.count", &json!({"name": name, "value": value}), &[]).map(drop)
    }

    /// Sets a gauge.
    ///
    /// # Errors
    /// What the host answers.
    pub fn gauge(&self, name: &str, value: f64) -> Result<()> {
        self.host("metrics.gauge", &json!({"name": name, "value": value}), &[]).map(drop)
    }

    /// Adds to a histogram.
    ///
    /// # Errors
    /// What the host answers.
    pub fn observe(&self, name: &str, value: f64) -> Result<()> {
        self.host("metrics.observe", &json!({"name": name, "value": value}), &[]).map(drop)
    }

    /// Fetches a web address, with args `{method?, url, headers?}`. Gives the host's answer as it came.
    ///
    /// # Errors
    /// What the host answers.
    pub fn http_fetch(&self, args: &Value, body: &[u8]) -> Result<Vec<u8>> {
        self.host("http.fetch", args, body)
    }

    /// Wall clock, RFC 3339.
    ///
    /// # Errors
    /// What the host answers.
    pub fn now(&self) -> Result<String> {
        self.read("time.now", &json!({}))
    }

    /// Monotonic clock.
    ///
    /// # Errors
    /// What the host answers.
    pub fn monotonic(&self) -> Result<Duration> {
        self.read("time.monotonic", &json!({})).map(Duration::from_nanos)
    }

    /// Random bytes, at most 65,536.
    ///
    /// # Errors
    /// What the host answers.
    pub fn random(&self, bytes: u32) -> Result<Vec<u8>> {
        self.host("random", &json!({"bytes": bytes}), &[])
    }
}
