//! The end of a generation: calls in flight end, hooks run, instances and code go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use midplane_contract::{Error, Hook};

use crate::alarm::until;
use crate::call::Deadline;
use crate::generation::Generation;
use crate::hooks::{Hooks, on_a_thread};
use crate::plugin::Plugin;
use crate::runtime::Instance;
use crate::tasks;
use crate::turn::claim_lane;

/// Which hooks a retiring generation gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastHooks {
    /// `stop`, then `cleanup`.
    StopAndCleanup,
    /// `cleanup` alone.
    Cleanup,
    /// None: it failed.
    None,
}

/// Waits for the calls in flight, runs `stop` on every instance and leaves them parked.
pub(super) async fn park(plugin: &Arc<Plugin>, berth: usize, generation: &Arc<Generation>) {
    let core = &plugin.slot.core;
    let drained = Deadline::After(generation.times.drain).instant();
    for lane in 0..core.berth_at(berth).lanes() {
        let Ok(Some(mut turn)) = until(drained, claim_lane(core, berth, lane)).await else { continue };
        if generation.has(Hook::Stop)
            && let Some(instance) = turn.take()
        {
            turn.give(last_hooks(plugin, generation, instance, &[Hook::Stop], Some).await);
        }
    }
}

/// Ends a generation, if it still lies in that berth. What is busy beyond the drain time ends in the background.
pub(super) async fn retire(plugin: &Arc<Plugin>, berth: usize, generation: Arc<Generation>, last: LastHooks) {
    let late = Deadline::After(generation.times.drain).instant();
    let cleared = clear(plugin, berth, &generation, last, late).await;
    generation.fetching.end();
    if cleared {
        // The last reference unloads the code, which may block: never on an executor's thread.
        blocking::unblock(move || drop(generation)).await;
        return;
    }
    tracing::warn!(plugin = %plugin.id, "calls still run in an ended generation; it goes when they have ended");
    let plugin = Arc::clone(plugin);
    let century = Instant::now() + Duration::from_secs(3_000_000_000);
    tasks::apart(move || _ = block_on(clear(&plugin, berth, &generation, last, century)));
}

/// Returns false when calls still run at the given instant.
async fn clear(
    plugin: &Arc<Plugin>,
    berth: usize,
    generation: &Arc<Generation>,
    last: LastHooks,
    late: Instant,
) -> bool {
    let core = &plugin.slot.core;
    let place = core.berth_at(berth);
    // A plugin that fails while it is unloaded is retired twice; the second finds nothing left to do.
    let Ok(_one_at_a_time) = until(late, place.ending.lock()).await else { return false };
    if place.generation().is_none_or(|lies| lies.number != generation.number) {
        return true;
    }
    for lane in 0..place.lanes() {
        let Ok(turn) = until(late, claim_lane(core, berth, lane)).await else { return false };
        let Some(instance) = turn.and_then(crate::turn::Turn::close) else { continue };
        let hooks: &[Hook] = match last {
            LastHooks::StopAndCleanup => &[Hook::Stop, Hook::Cleanup],
            LastHooks::Cleanup => &[Hook::Cleanup],
            LastHooks::None => &[],
        };
        // Taking leave of a process takes its time: never on an executor's thread.
        last_hooks(plugin, generation, instance, hooks, drop).await;
    }
    place.release();
    true
}

/// Runs hooks whose errors are noted and change nothing, and does something with the instance, all on one thread. The
/// default when a hook had to be abandoned with its instance.
async fn last_hooks<T: Default + Send + 'static>(
    plugin: &Arc<Plugin>,
    generation: &Arc<Generation>,
    mut instance: Box<dyn Instance>,
    which: &'static [Hook],
    then: impl FnOnce(Box<dyn Instance>) -> T + Send + 'static,
) -> T {
    let theirs = Arc::clone(generation);
    let work = move |hooks: &Hooks| {
        let run = |hook: &Hook| hooks.run(instance.as_mut(), *hook, &[]).err();
        let errors: Vec<Error> = which.iter().filter(|hook| theirs.has(**hook)).filter_map(run).collect();
        (then(instance), errors)
    };
    let (done, errors) = match on_a_thread(generation.times.hook, work).await {
        Ok((done, errors)) => (done, errors),
        Err(error) => (T::default(), vec![error]),
    };
    for error in errors {
        let error = generation.sign(error);
        let hook = error.record().data.get("hook").and_then(serde_json::Value::as_str);
        tracing::warn!(plugin = %plugin.id, hook, %error, "a last hook failed");
        plugin.life().last_error = Some(error);
    }
    done
}
