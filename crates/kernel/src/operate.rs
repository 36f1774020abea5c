//! What an operator does to plugins. One operation at a time per plugin; every change of state goes through the table.

mod dependencies;
mod dependents;
mod fault;
mod gone;
mod install;
mod load;
mod reinstate;
mod reload;
mod retire;
mod shutdown;
mod uninstall;

use std::sync::Arc;
use std::time::Instant;

use midplane_contract::{Code, Error, PluginId, Result, State};
use serde_json::{Value, json};

use crate::alarm::until;
use crate::assemble::left;
use crate::availability;
use crate::build;
use crate::call::Deadline;
use crate::generation::Generation;
use crate::grants;
use crate::kernel::Inner;
use crate::lifecycle::Event;
use crate::plugin::{Plugin, Stay};
use crate::services;
use crate::turn::{Leave, claim_lane};

use dependencies::Brought;
pub(crate) use dependencies::{met, needs, release, too_long};
pub(crate) use dependents::unload_cascade;
pub(crate) use fault::{fail, quarantine};
pub(crate) use gone::leave;
pub(crate) use install::install;
pub(crate) use load::load;
pub(crate) use reinstate::{reinstate, settle};
pub(crate) use reload::reload;
pub(crate) use shutdown::{Ending, shutdown};
pub(crate) use uninstall::{Dependents, uninstall};

fn refuse_disabled(plugin: &Plugin) -> Result<()> {
    let (leaving, disabled, barred) = {
        let life = plugin.life();
        (life.stay == Stay::Leaving, life.disabled, life.barred)
    };
    let (why, remedy) = match (leaving, disabled, barred) {
        (false, false, false) => return Ok(()),
        (true, ..) => ("the plugin is being taken away", "register or install it again"),
        (_, true, _) => ("the plugin is disabled", "enable it first"),
        (.., true) => ("the settings disable the plugin", "set `enabled: true` for it"),
    };
    Err(Error::new(Code::NotRunning, why).remedy(remedy).plugin(&plugin.id))
}

/// Starts a plugin that is loaded or stopped.
pub(crate) async fn start(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    if gone::is_absent(&plugin) {
        return load::load_boxed(kernel, id).await;
    }
    refuse_disabled(&plugin)?;
    if matches!(plugin.state(), State::Loaded | State::Stopped) {
        // What it needs may have gone since it was loaded.
        dependencies::make_ready_boxed(kernel, &plugin, &Brought::new(kernel)).await?;
    }
    let _one_at_a_time = plugin.operations.lock().await;
    refuse_disabled(&plugin)?;
    let manifest = plugin.life().found.manifest.clone();
    dependencies::check(kernel, &manifest)?;
    start_or_fail(kernel, &plugin).await
}

async fn start_or_fail(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    start_locked(kernel, plugin, None).await.inspect_err(|error| {
        if plugin.state() == State::Starting {
            fail(kernel, plugin, error);
        }
    })
}

/// Starts what is loaded, before an instant where it is part of a load.
async fn start_locked(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, late: Option<Instant>) -> Result<()> {
    plugin.advance(Event::Start)?;
    plugin.inbox.open();
    let core = &plugin.slot.core;
    let (number, generation) = (core.current(), loaded(plugin)?);
    let (mut turns, mut instances) = (Vec::new(), Vec::new());
    for lane in 0..core.berth_at(number).lanes() {
        // A call that outlived the stop may still be in there.
        let claimed = until(Deadline::After(generation.times.hook).instant(), claim_lane(core, number, lane)).await;
        let Some(mut turn) = claimed.map_err(|_| busy(&generation))? else { continue };
        // One that died has left its lane empty.
        if let Some(instance) = turn.take() {
            instances.push(instance);
            turns.push(turn);
        }
    }
    let started = build::start(&generation, instances, left(generation.times.hook, late)).await?;
    for (mut turn, instance) in turns.into_iter().zip(started) {
        turn.give(Some(instance));
    }
    plugin.advance(Event::Started)?;
    // First the slot, then the lanes: a call that returned to a closed slot would park its instance again.
    core.open();
    // Only when every instance has started does any of them take calls.
    for lane in 0..core.berth_at(number).lanes() {
        if let Some(mut turn) = claim_lane(core, number, lane).await {
            turn.will_leave(Leave::Idle);
        }
    }
    plugin.inbox.kick();
    services::admit(kernel, plugin).await;
    announce(kernel, "plugin.started", plugin, json!({}));
    availability::arrived(kernel, plugin);
    Ok(())
}

/// Stops a running plugin.
pub(crate) async fn stop(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    stop_locked(kernel, &plugin).await
}

async fn stop_locked(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    plugin.advance(Event::Stop)?;
    let core = &plugin.slot.core;
    core.close(not_running("stopped"));
    plugin.inbox.shut();
    let (number, generation) = (core.current(), loaded(plugin)?);
    retire::park(plugin, number, &generation).await;
    if plugin.state() == State::Failed {
        // It died of its `stop` hook.
        return Err(plugin.life().cause.clone().unwrap_or_else(|| not_running("failed")));
    }
    plugin.advance(Event::Stopped)?;
    announce(kernel, "plugin.stopped", plugin, json!({}));
    availability::changed(kernel, &plugin.id);
    Ok(())
}

/// Stops if needed and unloads.
pub(crate) async fn unload(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    dependents::refuse(kernel, id)?;
    unload_locked(kernel, &plugin).await
}

async fn unload_locked(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    if plugin.state() == State::Running
        && let Err(error) = stop_locked(kernel, plugin).await
        && plugin.state() != State::Failed
    {
        return Err(error);
    }
    kernel.note_usage(&plugin.id);
    plugin.advance(Event::Unload)?;
    let core = &plugin.slot.core;
    core.close(Error::new(Code::NotLoaded, "the plugin is not loaded").remedy("load it first"));
    plugin.inbox.end();
    if let Some(generation) = core.generation() {
        retire::retire(plugin, core.current(), generation, retire::LastHooks::Cleanup).await;
    }
    plugin.advance(Event::Unloaded)?;
    announce(kernel, "plugin.unloaded", plugin, json!({}));
    Ok(())
}

/// Stops if needed and starts; what has failed is loaded anew.
pub(crate) async fn restart(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let state = plugin.state();
    match state {
        State::Running | State::Updating => {
            // What it needs may have gone since it was started; where that cannot be had, it goes on as it is.
            dependencies::make_ready_boxed(kernel, &plugin, &Brought::new(kernel)).await?;
            let _one_at_a_time = plugin.operations.lock().await;
            let manifest = plugin.life().found.manifest.clone();
            dependencies::check(kernel, &manifest)?;
            stop_locked(kernel, &plugin).await?;
            start_or_fail(kernel, &plugin).await?;
        }
        State::Loaded | State::Stopped => start(kernel, id).await?,
        _ => load(kernel, id, true).await?,
    }
    announce(kernel, "plugin.restarted", &plugin, json!({}));
    Ok(())
}

/// Stops a plugin and keeps it stopped.
pub(crate) async fn disable(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    grants::set_disabled(kernel.stores.state.as_ref(), id, true)?;
    plugin.life().disabled = true;
    announce(kernel, "plugin.disabled", &plugin, json!({}));
    if plugin.state() == State::Running { stop_locked(kernel, &plugin).await } else { Ok(()) }
}

/// Undoes [`disable`].
pub(crate) async fn enable(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let one_at_a_time = plugin.operations.lock().await;
    grants::set_disabled(kernel.stores.state.as_ref(), id, false)?;
    plugin.life().disabled = false;
    announce(kernel, "plugin.enabled", &plugin, json!({}));
    if gone::is_absent(&plugin) {
        // Nothing was running, and what is not there comes by itself.
        return Ok(());
    }
    drop(one_at_a_time);
    let stopped = matches!(plugin.state(), State::Stopped | State::Loaded);
    if stopped { start(kernel, id).await } else { Ok(()) }
}

/// Forgets a plugin that is not loaded.
pub(crate) async fn unregister(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    gone::settle(&plugin).await?;
    refuse_loaded(&plugin)?;
    dependents::refuse(kernel, id)?;
    plugin.leave()?;
    remove_locked(kernel, &plugin);
    Ok(())
}

fn refuse_loaded(plugin: &Plugin) -> Result<()> {
    match plugin.state() {
        State::Registered | State::Discovered | State::Failed => Ok(()),
        state => Err(Error::new(Code::AlreadyLoaded, format!("`{}` is {state}", plugin.id))
            .remedy("unload it first")
            .plugin(&plugin.id)),
    }
}

/// Forgets a plugin that is leaving and not loaded, whoever needs it: nobody loads it any longer.
fn remove_locked(kernel: &Inner, plugin: &Plugin) {
    plugin.slot.core.close(Error::new(Code::PluginNotFound, "the plugin is no longer registered"));
    kernel.remove(&plugin.id);
    announce(kernel, "plugin.unregistered", plugin, json!({}));
}

/// The generation that is loaded.
pub(crate) fn loaded(plugin: &Plugin) -> Result<Arc<Generation>> {
    plugin.slot.core.generation().ok_or_else(|| {
        Error::new(Code::NotLoaded, "the plugin is not loaded").remedy("load it first").plugin(&plugin.id)
    })
}

fn busy(generation: &Generation) -> Error {
    generation.sign(
        Error::new(Code::DeadlineExceeded, "a call from before the stop has still not ended")
            .remedy("unload the plugin, or wait until the call has ended"),
    )
}

fn not_running(state: &str) -> Error {
    Error::new(Code::NotRunning, format!("the plugin is {state}")).remedy("start it first")
}

/// Sends an event about a plugin.
pub(crate) fn announce(kernel: &Inner, event_type: &str, plugin: &Plugin, extra: Value) {
    let mut data = json!({ "plugin_id": plugin.id, "module_id": plugin.id });
    if let (Value::Object(data), Value::Object(extra)) = (&mut data, extra) {
        data.extend(extra);
    }
    if let (Value::Object(data), Some(generation)) = (&mut data, plugin.slot.core.generation()) {
        data.insert("generation".into(), generation.number.into());
        data.insert("runtime".into(), generation.runtime_label().into());
        data.insert("path".into(), generation.folder.display().to_string().into());
    }
    kernel.announce(event_type, data);
}
