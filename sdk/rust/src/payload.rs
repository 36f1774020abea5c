//! What actions take and give: JSON, text or bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Reply, Result};

/// JSON in or out, as a Rust type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// What an action can take.
pub trait Input: Sized {
    /// Reads it from the call's bytes.
    ///
    /// # Errors
    /// `invalid_input`, which says where the bytes do not fit.
    fn read(bytes: &[u8]) -> Result<Self>;
}

/// What an action can answer.
pub trait Output {
    /// Writes it into the reply.
    ///
    /// # Errors
    /// What the reply says, or `invalid_output` for a value that has no JSON.
    fn write(self, reply: &mut Reply<'_>) -> Result<()>;
}

impl<T: DeserializeOwned> Input for Json<T> {
    /// No bytes at all are read as `null`.
    fn read(bytes: &[u8]) -> Result<Self> {
        let bytes = if bytes.is_empty() { b"null" } else { bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Error::invalid_input(format!("the input does not fit: {error}")))
    }
}

impl Input for Vec<u8> {
    fn read(bytes: &[u8]) -> Result<Self> {
        Ok(bytes.to_vec())
    }
}

impl Input for String {
    fn read(bytes: &[u8]) -> Result<Self> {
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|error| Error::invalid_input(format!("the input is not UTF-8: {error}")))
    }
}

impl Input for () {
    /// Whatever was given is ignored.
    fn read(_: &[u8]) -> Result<Self> {
        Ok(())
    }
}

impl<T: Serialize> Output for Json<T> {
    fn write(self, reply: &mut Reply<'_>) -> Result<()> {
        // One write of the whole: each write is a chunk to whoever reads a stream.
        let json = serde_json::to_vec(&self.0)
            .map_err(|error| Error::new("invalid_output", format!("the reply has no JSON: {error}")))?;
        reply.write(&json)
    }
}

impl Output for Value {
    fn write(self, reply: &mut Reply<'_>) -> Result<()> {
        Json(self).write(reply)
    }
}

impl Output for Vec<u8> {
    fn write(self, reply: &mut Reply<'_>) -> Result<()> {
        reply.write(&self)
    }
}

impl Output for String {
    fn write(self, reply: &mut Reply<'_>) -> Result<()> {
        reply.write(self.as_bytes())
    }
}

impl Output for &str {
    fn write(self, reply: &mut Reply<'_>) -> Result<()> {
        reply.write(self.as_bytes())
    }
}

impl Output for () {
    fn write(self, _: &mut Reply<'_>) -> Result<()> {
        Ok(())
    }
}
