//! An action's or hook's way to the host.

mod api;

use std::fmt;

use serde_json::Value;

use crate::backend::Backend;
use crate::info::Identity;
use crate::{Error, Result};

pub use api::Level;

/// The way to the host, for the time of one call or hook. What it asks is asked within that call: its deadline, its
/// trace and the chain of its callers hold.
pub struct Context<'a> {
    backend: &'a dyn Backend,
    identity: &'a Identity,
}

impl<'a> Context<'a> {
    /// A context over a backend.
    #[inline]
    pub fn new(backend: &'a dyn Backend, identity: &'a Identity) -> Self {
        Self { backend, identity }
    }

    /// Which plugin, version, generation and instance this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.identity
    }

    /// Any function of the host API by name, for those that have no method here.
    ///
    /// # Errors
    /// What the host answers: `permission_denied`, `not_supported`, and what the function itself says.
    pub fn host(&self, function: &str, args: &Value, payload: &[u8]) -> Result<Vec<u8>> {
        self.ask(function, &args.to_string(), payload)
    }

    #[cfg(not(target_family = "wasm"))]
    fn ask(&self, function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        self.backend.host(function, args, payload)
    }

    /// Not through the backend: a plugin that never comes here does not import what waits, and its calls may then
    /// share the caller's executor.
    #[cfg(target_family = "wasm")]
    fn ask(&self, function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let _ = self.backend;
        crate::backend::abi::host(function, args, payload)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, function: &str, args: &Value) -> Result<T> {
        let reply = self.host(function, args, &[])?;
        serde_json::from_slice(&reply).map_err(|error| {
            Error::new("protocol_error", format!("the host's answer to {function} does not fit: {error}"))
        })
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("identity", self.identity).finish_non_exhaustive()
    }
}
