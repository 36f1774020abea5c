//! The plugin's log.

use serde::Serialize;
use serde_json::{Value, json};

use super::Context;

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
