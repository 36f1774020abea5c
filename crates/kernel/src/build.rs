//! Making instances: at load, when a pool grows, and in place of one that was spent.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error, Hook, Result};

use crate::availability;
use crate::generation::Generation;
use crate::hooks::{Hooks, on_a_thread};
use crate::lane::Occupant;
use crate::runtime::{Condition, Instance, InstanceContext};
use crate::slot::Core;
use crate::tasks;

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
    let made = hooks.open(|| generation.code.instantiate(context));
    let mut instance = made.map_err(|error| generation.sign(error))?;
    if number == 0 {
        hook(generation, hooks, instance.as_mut(), Hook::ValidateConfig)?;
    }
    hook(generation, hooks, instance.as_mut(), Hook::Init)?;
    Ok(instance)
}

/// Gives back what instances have taken that come to nothing, since one of them could not be made or started: `stop` on
/// those that had started, `cleanup` on all. What they say is logged.
pub(crate) fn give_back(generation: &Generation, hooks: &Hooks, instances: &mut [Box<dyn Instance>], started: usize) {
    for (number, instance) in instances.iter_mut().enumerate() {
        for last in [Hook::Stop, Hook::Cleanup] {
            let due = (last == Hook::Cleanup || number < started) && matches!(instance.condition(), Condition::Ready);
            if due && let Err(error) = hook(generation, hooks, instance.as_mut(), last) {
                tracing::warn!(plugin = %generation.plugin, hook = last.name(), %error, "a last hook failed");
            }
        }
    }
}

/// Starts instances, one after the other, each in so much time. An error costs them all.
pub(crate) async fn start(
    generation: &Arc<Generation>,
    mut instances: Vec<Box<dyn Instance>>,
    time: Duration,
) -> Result<Vec<Box<dyn Instance>>> {
    if !generation.has(Hook::Start) {
        return Ok(instances);
    }
    let started = Arc::clone(generation);
    let work = move |hooks: &Hooks| {
        for at in 0..instances.len() {
            let Some(instance) = instances.get_mut(at) else { break };
            if let Err(error) = hook(&started, hooks, instance.as_mut(), Hook::Start) {
                give_back(&started, hooks, &mut instances, at);
                return Err(error);
            }
        }
        Ok(instances)
    };
    on_a_thread(time, work).await.map_err(|error| generation.sign(error))?
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
    tasks::apart(move || {
        let theirs = Arc::clone(&generation);
        let work = move |hooks: &Hooks| {
            let mut instance = make(&theirs, hooks)?;
            hook(&theirs, hooks, instance.as_mut(), Hook::Start)
                .and_then(|()| availability::catch_up(&theirs, hooks, instance.as_mut()))
                .inspect_err(|_| give_back(&theirs, hooks, std::slice::from_mut(&mut instance), 0))?;
            Ok(instance)
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
    });
}
