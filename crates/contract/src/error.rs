//! The one error record that every part of Midplane answers with.

mod code;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use code::{Code, Kind};

/// A result whose error is the contract's record.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, on what, and what to do about it. One pointer wide.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error(Box<Record>);

/// The fields of an [`Error`], as JSON shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The group that the code belongs to.
    pub kind: Kind,
    /// Stable name of the fault; programs compare this.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
    /// What to do about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The plugin concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The runtime concerned, with its placement: `native/worker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// The action that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The generation that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Whether the same call may succeed later without anybody changing anything.
    pub recoverable: bool,
    /// What caused it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<String>,
    /// When it happened, RFC 3339.
    pub timestamp: Timestamp,
    /// Details for programs: `{required, found}`, `{signal}`, or a plugin's own error, whole.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl Error {
    /// An error with a code and a message; kind and recoverability follow from the code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Record {
            kind: code.kind(),
            code,
            message: message.into(),
            remedy: None,
            plugin: None,
            runtime: None,
            action: None,
            generation: None,
            recoverable: code.recoverable(),
            cause: Vec::new(),
            timestamp: Timestamp::now(),
            data: Map::new(),
        }))
    }

    /// Says what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Names the plugin, unless one is named already.
    #[must_use]
    pub fn plugin(mut self, plugin: impl fmt::Display) -> Self {
        self.0.plugin.get_or_insert_with(|| plugin.to_string());
        self
    }

    /// Names runtime and placement, unless named already.
    #[must_use]
    pub fn runtime(mut self, runtime: impl fmt::Display) -> Self {
        self.0.runtime.get_or_insert_with(|| runtime.to_string());
        self
    }

    /// Names the action, unless one is named already.
    #[must_use]
    pub fn action(mut self, action: impl fmt::Display) -> Self {
        self.0.action.get_or_insert_with(|| action.to_string());
        self
    }

    /// Names the generation, unless one is named already.
    #[must_use]
    pub fn generation(mut self, generation: u64) -> Self {
        self.0.generation.get_or_insert(generation);
        self
    }

    /// Adds a detail for programs.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.data.insert(key.to_owned(), value.into());
        self
    }

    /// Replaces the kind that the code implies, where a hook's phase decides it (initialize, start, stop).
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Replaces the recoverability that the code implies.
    #[must_use]
    pub fn recoverable(mut self, recoverable: bool) -> Self {
        self.0.recoverable = recoverable;
        self
    }

    /// Keeps an error and its sources as the cause.
    #[must_use]
    pub fn caused_by(mut self, cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(error) = next {
            self.0.cause.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// Keeps another record as the cause, with its own causes after it.
    #[must_use]
    pub fn because(mut self, cause: &Error) -> Self {
        self.0.cause.push(cause.to_string());
        self.0.cause.extend(cause.0.cause.iter().cloned());
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// All fields.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// The whole record in the shape that requirement 003 prints: `type`, `plugin_name` and `plugin_type` are the
    /// older names of `kind`, `plugin` and `runtime`, added beside them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(fields) = &mut json {
            for (older, name) in [("type", "kind"), ("plugin_name", "plugin"), ("plugin_type", "runtime")] {
                if let Some(value) = fields.get(name).cloned() {
                    fields.insert(older.to_owned(), value);
                }
            }
        }
        json
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.plugin {
            Some(plugin) => write!(f, "plugin error [{plugin}:{}]: {}", self.0.code, self.0.message),
            None => write!(f, "{}: {}", self.0.code, self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_json_whole() {
        let error = Error::new(Code::VersionMismatch, "needs ^2, found 1.4")
            .plugin("a")
            .runtime("wasm/in-process")
            .action("run")
            .generation(3)
            .remedy("install 2.0")
            .with("required", "^2")
            .with("found", "1.4")
            .because(&Error::new(Code::Io, "disk"));
        let json = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&json).unwrap(), error);
    }

    #[test]
    fn the_text_and_json_are_those_of_document_003() {
        let error = Error::new(Code::DeadlineExceeded, "took too long").plugin("p").runtime("wasm");
        assert_eq!(error.to_string(), "plugin error [p:deadline_exceeded]: took too long");
        let json = error.to_json();
        assert_eq!(json.get("type").unwrap(), "timeout");
        assert_eq!(json.get("plugin_name").unwrap(), "p");
        assert_eq!(json.get("plugin_type").unwrap(), "wasm");
        assert_eq!(json.get("recoverable").unwrap(), true);
    }

    #[test]
    fn every_code_survives_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.as_str()), Some(*code));
        }
        assert_eq!(Code::from_name("no such code"), None);
    }
}
