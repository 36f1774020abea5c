//! Drives a plugin in a unit test, without a host.
//!
//! ```
//! # use midplane_sdk::prelude::*;
//! # #[derive(Default)] struct Greeter;
//! # impl Plugin for Greeter {
//! #     fn define() -> Definition<Self> {
//! #         Definition::new().action("greet", |_, name: String, context| {
//! #             context.info("greeting");
//! #             Ok(format!("hello {name}"))
//! #         })
//! #     }
//! # }
//! use midplane_sdk::testing::Bench;
//!
//! let mut bench = Bench::<Greeter>::new();
//! assert_eq!(bench.call("greet", "Ada").unwrap(), b"hello Ada");
//! assert_eq!(bench.asked("log").len(), 1);
//! ```

mod host;

use serde_json::Value;

use crate::backend::{Failure, Running, Stamp};
use crate::hook::Hook;
use crate::{Error, Identity, Plugin, Result};
use host::BenchHost;

/// What a plugin asked of the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The function: `log`, `state.get`, …
    pub function: String,
    /// Its arguments.
    pub args: Value,
    /// Its bytes.
    pub payload: Vec<u8>,
}

impl Asked {
    /// An argument that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.args.get(name).and_then(Value::as_str)
    }
}

/// One instance of a plugin on a test bench. The host it sees answers with what [`Bench::answer`] says. Without that,
/// state (in memory), configuration, log, clocks, chance, publishing, subscribing and metrics are answered as a host does,
/// and everything else is `not_supported`.
pub struct Bench<P> {
    running: Running<P>,
    host: BenchHost,
}

#[expect(clippy::panic, reason = "a test bench fails the test that drives it")]
impl<P: Plugin> Bench<P> {
    /// A fresh instance, named `test`, on which no hook has run.
    #[must_use]
    pub fn new() -> Self {
        let identity = Identity { id: "test".into(), version: "0.0.0".into(), generation: 1, instance: 0 };
        match Running::new(identity, Stamp::default()) {
            Ok(running) => Self { running, host: BenchHost::new() },
            Err(failure) => panic!("the plugin cannot be made: {failure:?}"),
        }
    }

    /// The configuration that [`crate::Context::config`] gives; `{}` unless it is said.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.host.config = config;
        self
    }

    /// What the host answers to a function. Later answers come before earlier ones.
    #[must_use]
    pub fn answer(mut self, function: &'static str, answer: impl Fn(&Asked) -> Result<Vec<u8>> + 'static) -> Self {
        self.host.answers.push(Box::new(move |asked| (asked.function == function).then(|| answer(asked))));
        self
    }

    /// Calls an action and gives its whole reply.
    ///
    /// # Errors
    /// The plugin's own; `action_not_found` for a name that it does not have.
    ///
    /// # Panics
    /// When the plugin's code does.
    pub fn call(&mut self, action: &str, input: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let Some(number) = self.running.resolve(action) else {
            return Err(Error::new("action_not_found", format!("the plugin has no action {action}")));
        };
        let mut reply = Vec::new();
        own(self.running.call(number, input.as_ref(), &mut reply, &self.host)).map(|()| reply)
    }

    /// Calls an action with JSON both ways.
    ///
    /// # Errors
    /// As [`Bench::call`], and `failed` for a reply that is no JSON.
    ///
    /// # Panics
    /// When the plugin's code does.
    pub fn call_json(&mut self, action: &str, input: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(&self.call(action, input.to_string())?)?)
    }

    /// Runs a hook; `None` where the plugin has none of that kind.
    ///
    /// # Errors
    /// The plugin's own.
    ///
    /// # Panics
    /// When the plugin's code does.
    pub fn hook(&mut self, hook: Hook, input: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let mut reply = Vec::new();
        own(self.running.hook(hook, input.as_ref(), &mut reply, &self.host)).map(|had| had.then_some(reply))
    }

    /// All that the plugin asked of a function so far.
    #[must_use]
    pub fn asked(&self, function: &str) -> Vec<Asked> {
        self.host.asked.borrow().iter().filter(|asked| asked.function == function).cloned().collect()
    }
}

impl<P: Plugin> Default for Bench<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> std::fmt::Debug for Bench<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("asked", &self.host.asked).finish_non_exhaustive()
    }
}

#[expect(clippy::panic, reason = "a test bench fails the test that drives it")]
fn own<T>(outcome: Result<T, Failure>) -> Result<T> {
    match outcome {
        Ok(value) => Ok(value),
        Err(Failure::Error(error)) => Err(error),
        Err(Failure::Panicked(said)) => panic!("the plugin panicked: {said}"),
    }
}

#[cfg(test)]
mod tests;
