//! Making instances: at load, when a pool grows, and in place of one that was spent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error, Hook, Result};

use crate::availability;
use crate::generation::Generation;
use crate::hooks::{Hooks, on_a_thread};
use crate::lane::Occupant;
use crate::runtime::{Instance, InstanceContext};
use crate::slot::Core;

/// Makes an instance and initializes it. Blocks.
pub(crate) fn make(generation: &Arc<Generation>, hooks: &Hooks) -> Result<Box<dyn Instance>> {
    let number = generation.made.fetch_add(1, Ordering::Relaxed);
    let context = InstanceContext {
        plugin: generation.plugin.clone(),
        version: generation.manifest.version.to_string(),
        generation: generation.number,
        number,
        host: (generation.host)(),
    };
    let mut instance = generation.code.instantiate(context).map_err(|error| generation.sign(error))?;
    if number == 0 {
        hook(generation, hooks, instance.as_mut(), Hook::ValidateConfig)?;
    }
    hook(generation, hooks, instance.as_mut(), Hook::Init)?;
    Ok(instance)
}

/// Starts instances, one after the other. An error costs them all.
pub(crate) async fn start(
    generation: &Arc<Generation>,
    instances: Vec<Box<dyn Instance>>,
) -> Result<Vec<Box<dyn Instance>>> {
    if !generation.has(Hook::Start) {
        return Ok(instances);
    }
    let started = Arc::clone(generation);
    let work = move |hooks: &Hooks| {
        let start =
            |mut instance: Box<dyn Instance>| hook(&started, hooks, instance.as_mut(), Hook::Start).map(|()| instance);
        instances.into_iter().map(start).collect()
    };
    on_a_thread(generation.times.hook, work).await.map_err(|error| generation.sign(error))?
}

/// Runs a hook that gets the configuration or nothing, if the code has it.
fn hook(generation: &Generation, hooks: &Hooks, instance: &mut dyn Instance, hook: Hook) -> Result<()> {
    if !generation.has(hook) {
        return Ok(());
    }
    let input: Arc<[u8]> = match hook {
        Hook::Init | Hook::ValidateConfig => generation.config(),
        _ => Arc::new([]),
    };
    let answer = hooks.run(instance, hook, &input);
    answer.map(drop).map_err(|error| generation.sign(config_fault(hook, error)))
}

/// A configuration that the plugin itself refuses is `config_invalid`, with the plugin's own error whole in `data`.
fn config_fault(hook: Hook, error: Error) -> Error {
    if hook != Hook::ValidateConfig || error.code() != Code::PluginError {
        return error;
    }
    let refused =
        Error::new(Code::ConfigInvalid, format!("the plugin refuses its configuration: {}", error.record().message))
            .remedy("correct the plugin's configuration");
    error.record().data.iter().fold(refused, |refused, (key, value)| refused.with(key, value.clone()))
}

/// Makes an instance for a lane of a running plugin, in the background. The lane is `Building` until then.
pub(crate) fn begin(core: &Arc<Core>, generation: &Arc<Generation>, berth: usize, lane: usize) {
    let (core, generation) = (Arc::clone(core), Arc::clone(generation));
    blocking::unblock(move || {
        let theirs = Arc::clone(&generation);
        let work = move |hooks: &Hooks| {
            let mut instance = make(&theirs, hooks)?;
            hook(&theirs, hooks, instance.as_mut(), Hook::Start)?;
            availability::catch_up(&theirs, hooks, instance.as_mut()).map(|()| instance)
        };
        let made = block_on(on_a_thread(generation.times.hook, work));
        let made = made.map_err(|error| generation.sign(error)).and_then(|made| made);
        let place = core.berth_at(berth);
        match made {
            Ok(instance) => {
                place.with_lane(lane, |lane| lane.put(Occupant::Idle(instance)));
                place.queue.wake_one();
            }
            Err(error) => {
                place.with_lane(lane, |lane| lane.put(Occupant::Vacant));
                tracing::warn!(plugin = %generation.plugin, %error, "an instance could not be made");
                // With no instance left and none to be had, nobody would ever answer those who wait.
                if let Some(watch) = core.watch.get() {
                    watch(generation.number, error);
                }
                place.queue.wake_one();
            }
        }
    })
    .detach();
}
