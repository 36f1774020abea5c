//! Other plugins: by address, and by the interface that they provide.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Context, arguments, milliseconds, reply_of};
use crate::Result;

/// A service: an interface, and which of its versions will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service<'a> {
    /// The interface's name: `greeter`.
    pub interface: &'a str,
    /// A range of versions, `^1`; `None`: any.
    pub range: Option<&'a str>,
}

impl<'a> Service<'a> {
    /// An interface in any version.
    #[must_use]
    pub fn new(interface: &'a str) -> Self {
        Self { interface, range: None }
    }

    /// In the versions of a range only.
    #[must_use]
    pub fn range(self, range: &'a str) -> Self {
        Self { range: Some(range), ..self }
    }
}

impl<'a> From<&'a str> for Service<'a> {
    fn from(interface: &'a str) -> Self {
        Self::new(interface)
    }
}

/// Other plugins. A call has what is left of the calling one's time at most.
impl Context<'_> {
    /// Calls another plugin's action by its address, `ID/ACTION`.
    ///
    /// # Errors
    /// What the call ends with: the other's own error, `plugin_not_found`, `deadline_exceeded`, `call_cycle`, …
    pub fn call(&self, address: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.reach(address, input, None)
    }

    /// [`Context::call`] with a deadline of its own, rounded up to milliseconds.
    ///
    /// # Errors
    /// As [`Context::call`].
    pub fn call_within(&self, deadline: Duration, address: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.reach(address, input, Some(deadline))
    }

    /// [`Context::call`] with JSON both ways. An empty reply reads as `null`.
    ///
    /// # Errors
    /// As [`Context::call`], and `invalid_reply` for a reply that does not fit.
    pub fn call_json<T: DeserializeOwned>(&self, address: &str, input: &impl Serialize) -> Result<T> {
        reply_of(address, &self.call(address, &serde_json::to_vec(input)?)?)
    }

    /// The providers of a service, as the host tells them.
    ///
    /// # Errors
    /// What the host answers.
    pub fn service_find<'s>(&self, service: impl Into<Service<'s>>) -> Result<Vec<Value>> {
        let Service { interface, range } = service.into();
        let args = arguments([("interface", Some(interface.into())), ("range", range.map(Value::from))]);
        self.read("service.find", &args, &[])
    }

    /// Calls an action of the provider that the host chooses.
    ///
    /// # Errors
    /// As [`Context::call`].
    pub fn service_call<'s>(&self, service: impl Into<Service<'s>>, action: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.serve(service.into(), action, input, None)
    }

    /// [`Context::service_call`] with a deadline of its own, rounded up to milliseconds.
    ///
    /// # Errors
    /// As [`Context::call`].
    pub fn service_call_within<'s>(
        &self,
        deadline: Duration,
        service: impl Into<Service<'s>>,
        action: &str,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        self.serve(service.into(), action, input, Some(deadline))
    }

    /// [`Context::service_call`] with JSON both ways. An empty reply reads as `null`.
    ///
    /// # Errors
    /// As [`Context::call`], and `invalid_reply` for a reply that does not fit.
    pub fn service_call_json<'s, T: DeserializeOwned>(
        &self,
        service: impl Into<Service<'s>>,
        action: &str,
        input: &impl Serialize,
    ) -> Result<T> {
        let service = service.into();
        reply_of(service.interface, &self.service_call(service, action, &serde_json::to_vec(input)?)?)
    }

    fn reach(&self, address: &str, input: &[u8], deadline: Option<Duration>) -> Result<Vec<u8>> {
        let args = arguments([("address", Some(address.into())), ("deadline_ms", deadline.map(milliseconds))]);
        self.host("call", &args, input)
    }

    fn serve(&self, service: Service<'_>, action: &str, input: &[u8], deadline: Option<Duration>) -> Result<Vec<u8>> {
        let args = arguments([
            ("interface", Some(service.interface.into())),
            ("range", service.range.map(Value::from)),
            ("action", Some(action.into())),
            ("deadline_ms", deadline.map(milliseconds)),
        ]);
        self.host("service.call", &args, input)
    }
}
