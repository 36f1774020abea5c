//! The plugin itself: its state, its hooks and the plain actions.

use std::hint::black_box;

use midplane_sdk::Hook;
use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::config::Config;
use crate::{failing, load, reaching, surroundings, transcript};

/// What `version` answers. The bytes stand in the binary as they are: a test makes changed code by writing others of
/// the same length over them.
pub static VERSION: [u8; 16] = *b"probe-version-01";

/// One instance.
#[derive(Debug, Default)]
pub struct Probe {
    /// The whole configuration in effect.
    given: Value,
    config: Config,
    counter: u64,
    history: Vec<String>,
    /// The data of the events that came, in order.
    events: Vec<Value>,
    /// What `allocate` was told to keep.
    pub(crate) kept: Vec<Vec<u8>>,
}

/// Input of `counter`. No input at all adds one.
#[derive(Debug, Deserialize)]
struct Add {
    add: u64,
}

impl Plugin for Probe {
    fn define() -> Definition<Self> {
        let definition = plain(Definition::new());
        let definition = hooks(definition);
        let definition = failing::define(definition);
        let definition = load::define(definition);
        let definition = reaching::define(definition);
        let definition = transcript::define(definition);
        surroundings::define(definition)
    }
}

fn plain(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .raw("echo", |_, input, reply, _| reply.write(input))
        .describe("The input")
        .idempotent()
        .action("version", |_, (), _| Ok(black_box(&VERSION).to_vec()))
        .describe("A constant of the code")
        .action("config", |probe, (), _| Ok(probe.given.clone()))
        .describe("The configuration in effect")
        .action("counter", |probe, Json(add): Json<Option<Add>>, _| {
            probe.counter = probe.counter.saturating_add(add.map_or(1, |add| add.add));
            Ok(Json(probe.counter))
        })
        .describe("{add?}: adds to this instance's counter, one unless it is said, and answers with it")
        .action("history", |probe, (), _| Ok(Json(probe.history.clone())))
        .describe("The hooks that ran on this instance, in order")
        .action("events", |probe, (), _| Ok(Json(probe.events.clone())))
        .describe("The data of the events that this instance got, in order")
        .action("identity", |_, (), context| {
            let identity = context.plugin();
            Ok(json!({
                "id": identity.id,
                "version": identity.version,
                "generation": identity.generation,
                "number": identity.instance,
            }))
        })
        .describe("What the host said to this instance about itself")
}

fn hooks(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .on_validate_config(|probe, Json(config): Json<Value>, context| probe.validate(&config, context))
        .on_init(|probe, Json(config): Json<Value>, context| probe.configure(Hook::Init, config, context))
        .on_config_changed(|probe, Json(config): Json<Value>, context| {
            probe.configure(Hook::ConfigChanged, config, context)
        })
        .on_get_config(|probe, _| Ok(Json(probe.given.clone())))
        .on_start(|probe, context| probe.pass(Hook::Start, context))
        .on_stop(|probe, context| probe.pass(Hook::Stop, context))
        .on_cleanup(|probe, context| probe.pass(Hook::Cleanup, context))
        .on_event(|probe, event, context| {
            probe.config.act(Hook::Event, context)?;
            probe.events.push(event.data);
            Ok(probe.config.answer.as_ref().map(Value::to_string).unwrap_or_default())
        })
        .on_dependency_changed(|probe, dependency, context| {
            probe.history.push(format!("dependency_changed {} {}", dependency.id, dependency.available));
            probe.config.act(Hook::DependencyChanged, context)
        })
        .on_health_check(|probe, context| {
            probe.config.act(Hook::Health, context)?;
            Ok(probe.config.health().with("counter", probe.counter))
        })
        .on_export_state(|probe, context| {
            probe.pass(Hook::ExportState, context)?;
            Ok(probe.counter.to_string().into_bytes())
        })
        .on_import_state(|probe, state, context| {
            probe.pass(Hook::ImportState, context)?;
            probe.import(state)
        })
}

impl Probe {
    /// Notes the hook, says so in the log, and does what the configuration asks for.
    fn pass(&mut self, hook: Hook, context: &Context<'_>) -> Result<()> {
        self.history.push(hook.name().to_owned());
        context.debug(&format!("hook {}", hook.name()));
        self.config.act(hook, context)
    }

    fn validate(&mut self, config: &Value, context: &Context<'_>) -> Result<()> {
        let config = Config::of(config)?;
        config.act(Hook::ValidateConfig, context)?;
        if config.invalid {
            return Err(Error::new("config_invalid", "the configuration asks to be invalid"));
        }
        Ok(())
    }

    /// Takes a configuration; a refused one leaves the present one in effect.
    fn configure(&mut self, hook: Hook, given: Value, context: &Context<'_>) -> Result<()> {
        let config = Config::of(&given)?;
        self.history.push(hook.name().to_owned());
        context.debug(&format!("hook {}", hook.name()));
        config.act(hook, context)?;
        config.refuse()?;
        (self.given, self.config) = (given, config);
        Ok(())
    }

    fn import(&mut self, state: &[u8]) -> Result<()> {
        self.counter = std::str::from_utf8(state)?.parse()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
