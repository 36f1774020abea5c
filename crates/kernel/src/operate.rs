//! What an operator does to plugins. One operation at a time per plugin; every change of state goes through the table.

mod dependencies;
mod dependents;
mod gone;
mod install;
mod reinstate;
mod reload;
mod retire;
mod shutdown;
mod uninstall;

use std::sync::Arc;
use std::time::Instant;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error, PluginId, Result, State};
use serde_json::{Value, json};

use crate::alarm::until;
use crate::assemble::{Assembled, Assembly, assemble, left};
use crate::availability;
use crate::build;
use crate::call::Deadline;
use crate::generation::Generation;
use crate::grants;
use crate::guest;
use crate::kept;
use crate::kernel::Inner;
use crate::lane::Occupant;
use crate::lifecycle::Event;
use crate::plugin::Plugin;
use crate::runtime::BoxFuture;
use crate::services;
use crate::turn::{Leave, claim_lane};

use dependencies::Brought;
pub(crate) use dependencies::{met, needs, release, too_long};
pub(crate) use dependents::unload_cascade;
pub(crate) use gone::leave;
pub(crate) use install::install;
pub(crate) use reinstate::{reinstate, settle};
pub(crate) use reload::reload;
pub(crate) use shutdown::{Ending, shutdown};
pub(crate) use uninstall::{Dependents, uninstall};

/// Loads a plugin after the plugins it depends on.
pub(crate) async fn load(kernel: &Arc<Inner>, id: &PluginId, start: bool) -> Result<()> {
    load_noting(kernel, id, start, &Brought::default()).await
}

/// Loads a plugin after the plugins it depends on, and notes which of those it touched.
async fn load_noting(kernel: &Arc<Inner>, id: &PluginId, start: bool, brought: &Brought) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let ready = if matches!(plugin.state(), State::Registered | State::Failed) || gone::is_absent(&plugin) {
        refuse_disabled(&plugin)?;
        guest::arrive(kernel, &plugin);
        let manifest = plugin.life().found.manifest.clone();
        dependencies::make_ready(kernel, &manifest, brought).await
    } else {
        Ok(())
    };
    load_alone(kernel, &plugin, start, ready, brought).await
}

/// Loads a plugin whose dependencies are ready, or are not, in which case it fails for their sake. What its code says that
/// it needs beside them is made ready in between, with no lock held: it may need this one.
async fn load_alone(
    kernel: &Arc<Inner>,
    plugin: &Arc<Plugin>,
    start: bool,
    ready: Result<()>,
    brought: &Brought,
) -> Result<()> {
    let mut ready = ready;
    loop {
        match load_once(kernel, plugin, start, ready).await? {
            Progress::Loaded => return Ok(()),
            Progress::Postponed => ready = dependencies::make_ready_boxed(kernel, plugin, brought).await,
        }
    }
}

/// How far a load came.
enum Progress {
    Loaded,
    /// Its code needs more, which is noted.
    Postponed,
}

async fn load_once(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, start: bool, ready: Result<()>) -> Result<Progress> {
    let _one_at_a_time = plugin.operations.lock().await;
    kernel.ending.refuse()?;
    refuse_disabled(plugin)?;
    if plugin.state() == State::Quarantined {
        return Err(Error::new(Code::NotRunning, "the plugin is quarantined")
            .remedy("unload it to let it out of quarantine")
            .plugin(&plugin.id));
    }
    gone::settle(plugin).await?;
    plugin.advance(Event::Resolve)?;
    let loaded = match ready {
        Ok(()) => load_resolved(kernel, plugin, start).await,
        Err(error) => Err(error),
    };
    loaded.map_err(|error| {
        let error = error.plugin(&plugin.id);
        fail(kernel, plugin, &error);
        error
    })
}

async fn load_resolved(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, start: bool) -> Result<Progress> {
    // Asked again now that it can be seen: whoever ends everything from here on waits for it.
    kernel.ending.refuse()?;
    guest::arrive(kernel, plugin);
    let found = plugin.life().found.clone();
    dependencies::check(kernel, &found.manifest)?;
    plugin.advance(Event::Load)?;
    let (assembly, late) = {
        let _place = kernel.loads.acquire().await;
        kept::recall(kernel, &plugin.id).await?;
        let plan = kernel.plan(&plugin.id, found, kernel.policy(&plugin.id));
        plugin.inbox.expect(plan.number);
        let late = plan.late;
        (assemble(plan).await?, late)
    };
    let assembled = match assembly {
        Assembly::Whole(assembled) => assembled,
        Assembly::Needs(more) => {
            {
                let mut life = plugin.life();
                let life = &mut *life;
                dependencies::declare(&mut life.found, &mut life.declared, more)?;
            }
            plugin.advance(Event::Postpone)?;
            return Ok(Progress::Postponed);
        }
    };
    lay(kernel, plugin, assembled)?;
    plugin.advance(Event::Initialized)?;
    announce(kernel, "plugin.loaded", plugin, json!({}));
    kernel.note_usage(&plugin.id);
    if start {
        // What it needs may have gone while it was made ready.
        let manifest = plugin.life().found.manifest.clone();
        dependencies::check(kernel, &manifest)?;
        start_locked(kernel, plugin, late).await?;
    }
    Ok(Progress::Loaded)
}

/// Lays a generation into the slot, parked, and makes it the current one.
fn lay(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, assembled: Assembled) -> Result<()> {
    let core = &plugin.slot.core;
    watch(kernel, plugin);
    let berth = core.claim()?;
    let actions = core.table(&assembled.generation);
    let parked = assembled.instances.into_iter().map(Occupant::Parked);
    core.berth_at(berth).lay(assembled.generation, &actions, parked);
    core.close(not_running("loaded and not started"));
    core.switch(berth);
    Ok(())
}

/// Has the slot report instances that die.
fn watch(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    let (kernel, id) = (Arc::downgrade(kernel), plugin.id.clone());
    plugin.slot.core.watch.get_or_init(|| {
        Box::new(move |generation, cause| {
            if let Some(kernel) = kernel.upgrade() {
                kernel.lost(&id, generation, cause);
            }
        })
    });
}

fn refuse_disabled(plugin: &Plugin) -> Result<()> {
    let (disabled, barred) = {
        let life = plugin.life();
        (life.disabled, life.barred)
    };
    let (why, remedy) = match (disabled, barred) {
        (false, false) => return Ok(()),
        (true, _) => ("the plugin is disabled", "enable it first"),
        (false, true) => ("the settings disable the plugin", "set `enabled: true` for it"),
    };
    Err(Error::new(Code::NotRunning, why).remedy(remedy).plugin(&plugin.id))
}

/// Starts a plugin that is loaded or stopped.
pub(crate) async fn start(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    if gone::is_absent(&plugin) {
        return load_boxed(kernel, id).await;
    }
    refuse_disabled(&plugin)?;
    if matches!(plugin.state(), State::Loaded | State::Stopped) {
        // What it needs may have gone since it was loaded.
        dependencies::make_ready_boxed(kernel, &plugin, &Brought::default()).await?;
    }
    let _one_at_a_time = plugin.operations.lock().await;
    refuse_disabled(&plugin)?;
    let manifest = plugin.life().found.manifest.clone();
    dependencies::check(kernel, &manifest)?;
    start_or_fail(kernel, &plugin).await
}

/// Loads and starts. A load may start others, and so on: the type of that has to end somewhere.
fn load_boxed<'a>(kernel: &'a Arc<Inner>, id: &'a PluginId) -> BoxFuture<'a, Result<()>> {
    Box::pin(load(kernel, id, true))
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
            let _one_at_a_time = plugin.operations.lock().await;
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
    match plugin.state() {
        State::Registered | State::Discovered | State::Failed => {}
        state => {
            return Err(Error::new(Code::AlreadyLoaded, format!("`{id}` is {state}"))
                .remedy("unload it first")
                .plugin(id));
        }
    }
    dependents::refuse(kernel, id)?;
    plugin.slot.core.close(Error::new(Code::PluginNotFound, "the plugin is no longer registered"));
    kernel.remove(id);
    announce(kernel, "plugin.unregistered", &plugin, json!({}));
    Ok(())
}

/// Marks a plugin as failed, refuses its callers with the cause, and clears away what is left of it. Says whether it
/// had not failed before: then nothing is done.
pub(crate) fn fail(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) -> bool {
    if !plugin.fail(cause) {
        return false;
    }
    let why = Error::new(Code::NotRunning, format!("the plugin has failed: {}", cause.record().message))
        .remedy("mend the cause, then restart it")
        .because(cause)
        .with("cause_code", cause.code().as_str());
    plugin.slot.core.close(why);
    plugin.inbox.end();
    announce(kernel, "plugin.failed", plugin, json!({ "error": cause }));
    availability::changed(kernel, &plugin.id);
    clear_away(plugin);
    true
}

/// Ends the generation in use in the background, without hooks.
fn clear_away(plugin: &Arc<Plugin>) {
    // Taken now, not when the thread runs: by then the berth may hold a next generation.
    let number = plugin.slot.core.current();
    if let Some(generation) = plugin.slot.core.generation() {
        let plugin = Arc::clone(plugin);
        let end = move || block_on(retire::retire(&plugin, number, generation, retire::LastHooks::None));
        blocking::unblock(end).detach();
    }
}

/// Marks a plugin as quarantined.
pub(crate) fn quarantine(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) {
    if plugin.advance(Event::Quarantine).is_ok() {
        announce(kernel, "plugin.quarantined", plugin, json!({ "error": cause }));
        availability::changed(kernel, &plugin.id);
    }
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
