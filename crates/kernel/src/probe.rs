//! Asking a plugin something while it runs: health, ping, configuration.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use midplane_contract::{Code, Error, Health, Hook, PluginId, Result};
use serde_json::{Map, Value, json};

use crate::alarm::until;
use crate::call::Deadline;
use crate::config;
use crate::generation::Generation;
use crate::hooks::{Hooks, on_a_thread};
use crate::kept;
use crate::kernel::Inner;
use crate::operate::{announce, loaded};
use crate::plugin::Plugin;
use crate::secret::mask_value;
use crate::turn::{Leave, Turn, acquire, claim_lane};

/// Asks one instance how it is.
pub(crate) async fn health(kernel: &Arc<Inner>, id: &PluginId) -> Result<Health> {
    let plugin = kernel.plugin(id)?;
    let generation = loaded(&plugin)?;
    let answer = probe(&plugin, &generation, Hook::Health).await?;
    let health = match answer.filter(|answer| !answer.is_empty()) {
        Some(answer) => said(&generation, &answer)?,
        None => Health::healthy(),
    };
    plugin.life().health = Some(health.status);
    plugin.changed();
    Ok(health)
}

fn said(generation: &Generation, answer: &[u8]) -> Result<Health> {
    let masked = serde_json::from_slice(answer).map(mask_value).and_then(serde_json::from_value);
    masked.map_err(|error| {
        generation.sign(
            Error::new(Code::PluginError, "the answer of the hook `health` is not `{status, details}`")
                .remedy("answer with status healthy, degraded or unhealthy")
                .caused_by(&error),
        )
    })
}

/// Asks one instance whether it lives.
pub(crate) async fn ping(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let generation = loaded(&plugin)?;
    probe(&plugin, &generation, Hook::Ping).await.map(|_| ())
}

/// The configuration in effect.
pub(crate) async fn config(kernel: &Arc<Inner>, id: &PluginId) -> Result<Value> {
    let plugin = kernel.plugin(id)?;
    let generation = loaded(&plugin)?;
    let known = || serde_json::from_slice(&generation.config()).unwrap_or_default();
    match probe(&plugin, &generation, Hook::GetConfig).await? {
        Some(answer) if !answer.is_empty() => serde_json::from_slice(&answer).map(mask_value).map_err(|error| {
            generation.sign(
                Error::new(Code::PluginError, "the answer of the hook `get_config` is not JSON").caused_by(&error),
            )
        }),
        _ => Ok(mask_value(known())),
    }
}

/// Whether a configuration is to be kept in the kernel's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It comes from an operator of this host.
    Yes,
    /// It comes from the store.
    No,
}

/// Hands the configuration in effect over once more, with its secrets as they are now, where one of them is another.
pub(crate) async fn renew_secrets(kernel: &Arc<Inner>, id: &PluginId) -> Result<bool> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    let (generation, config) = (loaded(&plugin)?, kernel.policy(id).config);
    if effective(kernel, &generation, &config)? == generation.config() {
        return Ok(false);
    }
    take_config(kernel, &plugin, config, Keep::No).await.map(|()| true)
}

/// Checks a configuration, hands it to every instance, and keeps it.
pub(crate) async fn update_config(kernel: &Arc<Inner>, id: &PluginId, config: Map<String, Value>) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    take_config(kernel, &plugin, config, Keep::Yes).await
}

/// The same for whoever holds the plugin's operations, and kept or not.
pub(crate) async fn take_config(
    kernel: &Arc<Inner>,
    plugin: &Arc<Plugin>,
    config: Map<String, Value>,
    keep: Keep,
) -> Result<()> {
    let id = &plugin.id;
    let generation = loaded(plugin)?;
    let bytes = effective(kernel, &generation, &config)?;
    if keep == Keep::Yes {
        kept::is_there(kernel, id).await?;
    }
    // One instance is asked before any is told.
    tell(plugin, &generation, Hook::ValidateConfig, 0, &bytes).await?;
    let core = &plugin.slot.core;
    let lanes = core.berth().lanes();
    for lane in 0..lanes {
        if let Err(error) = tell(plugin, &generation, Hook::ConfigChanged, lane, &bytes).await {
            take_back(plugin, &generation, lane).await;
            return Err(error);
        }
    }
    if keep == Keep::Yes
        && let Err(error) = kept::keep(kernel, id, &config).await
    {
        take_back(plugin, &generation, lanes).await;
        return Err(error);
    }
    *generation.config.write().unwrap_or_else(PoisonError::into_inner) = bytes;
    let mut policy = kernel.policy(id);
    policy.config = config;
    kernel.set_policy(id, policy);
    announce(kernel, "plugin.config_changed", plugin, json!({}));
    Ok(())
}

/// What reaches the plugin of a configuration: with secrets and defaults, and checked against its schema.
fn effective(kernel: &Inner, generation: &Generation, config: &Map<String, Value>) -> Result<Arc<[u8]>> {
    let manifest = &generation.manifest;
    let operator = kernel.secrets.resolve(config).map_err(|error| generation.sign(error))?;
    let effective = config::effective(manifest.config_schema.as_ref(), &manifest.config, &operator)
        .map_err(|error| generation.sign(error))?;
    let bytes = serde_json::to_vec(&effective).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    Ok(bytes.into())
}

/// All have the same configuration: those before this lane, which took the next one, get the old one back.
async fn take_back(plugin: &Plugin, generation: &Arc<Generation>, lanes: usize) {
    for told in 0..lanes {
        let _ = tell(plugin, generation, Hook::ConfigChanged, told, &generation.config()).await;
    }
}

/// Hands a configuration to the instance of one lane, if there is one.
async fn tell(
    plugin: &Plugin,
    generation: &Arc<Generation>,
    which: Hook,
    lane: usize,
    config: &Arc<[u8]>,
) -> Result<()> {
    let core = &plugin.slot.core;
    let claimed = until(Deadline::After(generation.times.hook).instant(), claim_lane(core, core.current(), lane)).await;
    let Some(mut turn) = claimed.map_err(|_| busy(generation))? else { return Ok(()) };
    turn.will_leave(Leave::AsItIs);
    let ran = run(&mut turn, generation, which, Arc::clone(config), generation.times.hook).await;
    ran.map(drop).map_err(|error| if error.code() == Code::PluginError { error_in_config(&error) } else { error })
}

/// Tells every instance something through its turn, each in the time of a hook. A call that is under way is waited for:
/// it ends by its own deadline, or the plugin is stopped and there is nobody to be told.
///
/// # Errors
/// The last one of a hook; those that come after it are told all the same.
pub(crate) async fn tell_all(
    plugin: &Plugin,
    generation: &Arc<Generation>,
    which: Hook,
    input: Arc<[u8]>,
) -> Result<()> {
    let core = &plugin.slot.core;
    let (number, mut told) = (core.current(), Ok(()));
    if core.generation().is_none_or(|current| current.number != generation.number) {
        return Ok(());
    }
    for lane in 0..core.berth_at(number).lanes() {
        let Some(mut turn) = claim_lane(core, number, lane).await else { continue };
        turn.will_leave(Leave::AsItIs);
        if let Err(error) = run(&mut turn, generation, which, Arc::clone(&input), generation.times.hook).await {
            told = Err(error);
        }
    }
    told
}

fn error_in_config(error: &Error) -> Error {
    let refused =
        Error::new(Code::ConfigInvalid, format!("the plugin refuses the configuration: {}", error.record().message))
            .remedy("correct the configuration; the old one stays in effect");
    error.record().data.iter().fold(refused, |refused, (key, value)| refused.with(key, value.clone()))
}

async fn probe(plugin: &Plugin, generation: &Arc<Generation>, which: Hook) -> Result<Option<Vec<u8>>> {
    let time = generation.times.probe;
    let deadline = Deadline::After(time).instant();
    let mut turn = until(deadline, acquire(&plugin.slot.core)).await.map_err(|_| busy(generation))??;
    run(&mut turn, generation, which, Arc::new([]), time).await
}

async fn run(
    turn: &mut Turn,
    generation: &Arc<Generation>,
    which: Hook,
    input: Arc<[u8]>,
    time: Duration,
) -> Result<Option<Vec<u8>>> {
    let Some(mut instance) = turn.take() else { return Ok(None) };
    let work = move |hooks: &Hooks| {
        let answer = hooks.run(instance.as_mut(), which, &input);
        (instance, answer)
    };
    let (instance, answer) = on_a_thread(time, work).await.map_err(|error| generation.sign(error))?;
    turn.give(Some(instance));
    answer.map_err(|error| generation.sign(error))
}

fn busy(generation: &Generation) -> Error {
    generation.sign(
        Error::new(Code::DeadlineExceeded, "every instance was busy for as long as the probe may wait")
            .remedy("look at which calls take so long"),
    )
}
