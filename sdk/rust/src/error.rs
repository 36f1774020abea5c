//! The error a plugin answers with.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A result whose error is a plugin's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A plugin's own error. It reaches the caller whole: the host's record has code `plugin_error` and this in its `data`.
///
/// Any `std::error::Error` turns into one with `?` (code `failed`), which is why this type is none itself. One pointer
/// wide, so that a reply without an error costs nothing; its fields are those of [`Record`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error(Box<Record>);

/// The fields of an [`Error`], as JSON shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Stable and short, for programs: `not_found`. The plugin's choice.
    pub code: String,
    /// For people: what failed, on what.
    pub message: String,
    /// Whether the same call may succeed later without anybody changing anything.
    #[serde(default)]
    pub recoverable: bool,
    /// Details for programs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl Error {
    /// An error that will occur again, with no details.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Record { code: code.into(), message: message.into(), recoverable: false, data: Map::new() }))
    }

    /// The input cannot be used: `invalid_input`.
    #[must_use]
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("invalid_input", message)
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn recoverable(mut self) -> Self {
        self.0.recoverable = true;
        self
    }

    /// Adds a detail for programs.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.data.insert(key.to_owned(), value.into());
        self
    }
}

impl Deref for Error {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            message.push_str(": ");
            message.push_str(&source.to_string());
            next = source.source();
        }
        Self::new("failed", message)
    }
}
