//! An action's or hook's way to the host. Every function of the host API has a method, and every one of them may answer
//! `permission_denied` (the plugin was not granted it) or `not_supported` (this host does not do it). An answer that does
//! not fit what the contract says is a `protocol_error`.

mod bus;
mod clock;
mod log;
mod metrics;
mod plugins;
mod settings;
mod state;
mod web;

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::backend::Backend;
use crate::info::{ActionInfo, Identity};
use crate::{Error, Result};

pub use bus::{Subscription, Topic};
pub use log::Level;
pub use plugins::Service;
pub use web::{HttpReply, HttpRequest};

/// The way to the host, for the time of one call or hook. What it asks is asked within that call: its deadline, its
/// trace and the chain of its callers hold.
pub struct Context<'a> {
    backend: &'a dyn Backend,
    identity: &'a Identity,
    action: Option<&'a ActionInfo>,
}

impl<'a> Context<'a> {
    /// A context over a backend, in an action or (`None`) a hook.
    #[inline]
    pub fn new(backend: &'a dyn Backend, identity: &'a Identity, action: Option<&'a ActionInfo>) -> Self {
        Self { backend, identity, action }
    }

    /// Which plugin, version, generation and instance this is.
    #[must_use]
    pub fn plugin(&self) -> &Identity {
        self.identity
    }

    /// The action that is called; `None` in hooks.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.map(|action| action.name.as_str())
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

    /// Asks, and reads the answer as JSON.
    fn read<T: DeserializeOwned>(&self, function: &str, args: &Value, payload: &[u8]) -> Result<T> {
        let reply = self.host(function, args, payload)?;
        serde_json::from_slice(&reply).map_err(|error| {
            Error::new("protocol_error", format!("the host's answer to {function} does not fit: {error}"))
        })
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("identity", self.identity)
            .field("action", &self.action())
            .finish_non_exhaustive()
    }
}

/// The arguments of a function of the host API; what is `None` is left out.
fn arguments<const N: usize>(given: [(&str, Option<Value>); N]) -> Value {
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A time as the wire has it: rounded up, so that little does not become nothing.
fn milliseconds(time: Duration) -> Value {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).into()
}

/// What somebody else answered, read as JSON; nothing is `null`.
fn reply_of<T: DeserializeOwned>(whose: &str, reply: &[u8]) -> Result<T> {
    serde_json::from_slice(if reply.is_empty() { b"null" } else { reply })
        .map_err(|error| Error::new("invalid_reply", format!("the reply of {whose} does not fit: {error}")))
}

#[cfg(test)]
mod tests;
