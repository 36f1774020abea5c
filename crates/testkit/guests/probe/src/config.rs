//! What the configuration makes the probe do.

use midplane_sdk::{Context, Error, Health, HealthStatus, Hook, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::failing::hang_until;

/// The parts of the configuration that change the probe's behaviour. Everything else in it is kept and given back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `validate_config` refuses it.
    pub invalid: bool,
    /// `init` and `config_changed` refuse it, with `message`.
    pub reject: bool,
    /// What a refusal or failure says.
    pub message: Option<String>,
    /// Hooks, by their names in the contract, that answer with an error `hook_failed`.
    pub fail_in: Vec<String>,
    /// Hooks that panic.
    pub panic_in: Vec<String>,
    /// Hooks that hang.
    pub hang_in: Vec<String>,
    /// A file whose appearance ends a hang, in native builds.
    pub release: Option<String>,
    /// What `health` reports; healthy unless it is said.
    pub health: Option<HealthStatus>,
    /// What `event` answers, as JSON; nothing unless it is said.
    pub answer: Option<Value>,
}

impl Config {
    /// Reads it from the whole configuration.
    ///
    /// # Errors
    /// `config_invalid` when one of the parts has the wrong type.
    pub fn of(config: &Value) -> Result<Self> {
        Self::deserialize(config).map_err(|error| Error::new("config_invalid", error.to_string()))
    }

    /// Does in a hook what the configuration asks for: nothing, fail, panic or hang.
    ///
    /// # Errors
    /// `hook_failed`.
    ///
    /// # Panics
    /// Where it is asked for.
    #[expect(clippy::panic, reason = "the suite asks for a panic")]
    pub fn act(&self, hook: Hook, context: &Context<'_>) -> Result<()> {
        let named = |hooks: &[String]| hooks.iter().any(|name| name == hook.name());
        if named(&self.hang_in) {
            hang_until(self.release.as_deref(), context);
        }
        if named(&self.panic_in) {
            panic!("{}", self.message("panicked on purpose"));
        }
        if named(&self.fail_in) {
            return Err(Error::new("hook_failed", self.message("failed on purpose")));
        }
        Ok(())
    }

    /// Refuses the configuration if it asks for that.
    ///
    /// # Errors
    /// `rejected`, with the configuration's own message.
    pub fn refuse(&self) -> Result<()> {
        if self.reject {
            Err(Error::new("rejected", self.message("the configuration asks to be rejected")))
        } else {
            Ok(())
        }
    }

    /// What `health` reports.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(self.health.unwrap_or(HealthStatus::Healthy))
    }

    fn message(&self, otherwise: &str) -> String {
        self.message.clone().unwrap_or_else(|| otherwise.to_owned())
    }
}
