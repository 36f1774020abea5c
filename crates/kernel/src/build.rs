//! Making instances: at load, when a pool grows, and in place of one that was spent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error, Hook, Result};

use crate::generation::Generation;
use crate::hooks;
use crate::lane::Occupant;
use crate::runtime::{Instance, InstanceContext};
use crate::slot::Core;

/// Makes an instance and initializes it.
pub(crate) async fn make(generation: &Arc<Generation>) -> Result<Box<dyn Instance>> {
    let number = generation.made.fetch_add(1, Ordering::Relaxed);
    let context = InstanceContext {
        plugin: generation.plugin.clone(),
        version: generation.manifest.version.to_string(),
        generation: generation.number,
        number,
        host: (generation.host)(),
    };
    let code = Arc::clone(&generation.code);
    let instance = blocking::unblock(move || code.instantiate(context)).await.map_err(|e| generation.sign(e))?;
    let instance = if number == 0 { hook(generation, instance, Hook::ValidateConfig).await? } else { instance };
    hook(generation, instance, Hook::Init).await
}

/// Runs a hook that gets the configuration or nothing; an error costs the instance.
pub(crate) async fn hook(
    generation: &Arc<Generation>,
    instance: Box<dyn Instance>,
    hook: Hook,
) -> Result<Box<dyn Instance>> {
    let input: Arc<[u8]> = match hook {
        Hook::Init | Hook::ValidateConfig => generation.config(),
        _ => Arc::new([]),
    };
    let ran = hooks::run(instance, hook, input, generation.times.hook).await;
    ran.answer.map_err(|error| generation.sign(config_fault(hook, error)))?;
    ran.instance.ok_or_else(|| generation.sign(Error::new(Code::Internal, "the hook kept the instance")))
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
        let made = block_on(async {
            let instance = make(&generation).await?;
            hook(&generation, instance, Hook::Start).await
        });
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
