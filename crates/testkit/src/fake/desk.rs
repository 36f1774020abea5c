//! What a fake plugin has at hand while it answers a call or hook.

use std::time::Instant;

use midplane_contract::{Code, Error, HostFunction, Limits, Result};
use midplane_kernel::{Condition, HostRequest, InstanceContext, Scope, Within};
use serde_json::{Value, json};

use super::{Sabotage, Shared};
use crate::fake::brake::Brake;
use crate::gate::{Gate, wait_until};

/// What an instance remembers between calls.
#[derive(Debug, Default)]
pub struct Memory {
    /// Free to use.
    pub counter: u64,
    /// The configuration it was given last.
    pub config: Value,
    /// Hooks that ran, in order, and whatever else is worth noting.
    pub notes: Vec<String>,
    /// The data of events that it got, in order.
    pub events: Vec<Value>,
    /// Bytes that it pretends to hold.
    pub held: u64,
}

/// At hand while a call or hook runs.
pub struct Desk<'a> {
    /// What the instance remembers.
    pub memory: &'a mut Memory,
    /// On whose behalf, and until when.
    pub scope: &'a Scope,
    pub(crate) action: Option<&'a str>,
    pub(crate) text: &'a str,
    pub(crate) context: &'a InstanceContext,
    pub(crate) limits: &'a Limits,
    pub(crate) brake: &'a Brake,
    pub(crate) shared: &'a Shared,
    pub(crate) condition: &'a mut Condition,
    pub(crate) deadline: Instant,
}

impl Desk<'_> {
    /// What follows the program's name in the file.
    #[must_use]
    pub fn code(&self) -> &str {
        self.text.split_once('\n').map_or("", |(_, rest)| rest.trim())
    }

    /// The instance's identity.
    #[must_use]
    pub fn context(&self) -> &InstanceContext {
        self.context
    }

    /// Waits at a gate.
    ///
    /// # Errors
    /// `deadline_exceeded` or `cancelled`, whichever comes before the gate opens.
    pub fn wait_at(&self, gate: &Gate) -> Result<()> {
        gate.arrive();
        self.wait(|| gate.is_open())
    }

    /// Waits for what never comes.
    ///
    /// # Errors
    /// `deadline_exceeded` or `cancelled`.
    pub fn hang(&self) -> Result<()> {
        self.says("hanging")?;
        self.wait(|| false)
    }

    /// Writes a line to the log.
    ///
    /// # Errors
    /// What the host says.
    pub fn says(&self, message: &str) -> Result<()> {
        self.host(HostFunction::Log, &json!({ "level": "info", "message": message }), &[]).map(drop)
    }

    fn wait(&self, done: impl Fn() -> bool) -> Result<()> {
        let deaf = self.shared.is(Sabotage::NoDeadline);
        let end = (!deaf).then_some(self.deadline);
        let ended = wait_until(end, || done() || self.shared.end.is_open() || (!deaf && self.brake.is_pulled()));
        if !ended {
            return Err(Error::new(Code::DeadlineExceeded, "the fake was stopped by its deadline"));
        }
        if !done() && self.brake.is_pulled() {
            return Err(Error::new(Code::Cancelled, "the fake was interrupted"));
        }
        Ok(())
    }

    /// Calls another plugin.
    ///
    /// # Errors
    /// What the host says.
    pub fn call(&self, address: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.host(HostFunction::Call, &json!({ "address": address }), input)
    }

    /// Uses the host API.
    ///
    /// # Errors
    /// What the host says.
    pub fn host(&self, function: HostFunction, args: &Value, payload: &[u8]) -> Result<Vec<u8>> {
        let within = Within { scope: self.scope, action: self.action };
        self.context.host.request(&within, &HostRequest { function, args: &args.to_string(), payload })
    }

    /// Takes memory, within the plugin's limit; `keep` holds it until the instance ends.
    ///
    /// # Errors
    /// `memory_limit`.
    pub fn take_memory(&mut self, bytes: u64, keep: bool) -> Result<()> {
        let wanted = self.memory.held.saturating_add(bytes);
        if let Some(limit) = self.limits.memory.filter(|limit| wanted > *limit) {
            return Err(Error::new(Code::MemoryLimit, format!("{wanted} bytes are more than the {limit} allowed"))
                .with("limit", limit));
        }
        if keep {
            self.memory.held = wanted;
        }
        Ok(())
    }

    /// The plugin's own error, whole in `data`, as every runtime gives it.
    #[must_use]
    pub fn own_error(&self, code: &str, message: &str, recoverable: bool, data: Value) -> Error {
        let kind = if self.shared.is(Sabotage::WrongErrorKind) { Code::Internal } else { Code::PluginError };
        let error = Error::new(kind, message)
            .recoverable(recoverable)
            .with("code", code)
            .with("message", message)
            .with("recoverable", recoverable);
        match data {
            Value::Null => error,
            data => error.with("data", data),
        }
    }

    /// What a panic is in this runtime: the instance is spent.
    #[must_use]
    pub fn panic(&mut self, message: &str) -> Error {
        let error = Error::new(Code::Panicked, message);
        *self.condition = Condition::Spent(error.clone());
        error
    }

    /// What the death of a process is in this runtime: nothing of the plugin is left.
    #[must_use]
    pub fn die(&mut self) -> Error {
        let error = Error::new(Code::Crashed, "the fake's process was killed").with("signal", 9);
        *self.condition = Condition::Dead(error.clone());
        error
    }
}
