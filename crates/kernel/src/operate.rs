//! What an operator does to plugins. One operation at a time per plugin; every change of state goes through the table.

mod reload;
mod retire;

use std::sync::Arc;

use futures_lite::future::block_on;
use midplane_contract::manifest::DependencyKind;
use midplane_contract::{CONTRACT_VERSION, Code, Error, Hook, PluginId, Result, State};
use serde_json::{Value, json};

use crate::assemble::{Assembled, assemble};
use crate::build;
use crate::generation::Generation;
use crate::kernel::Inner;
use crate::lane::Occupant;
use crate::lifecycle::Event;
use crate::plugin::Plugin;
use crate::turn::claim_lane;

pub(crate) use reload::reload;

/// Loads a plugin after the plugins it depends on. `path` holds those that wait for this one.
pub(crate) async fn load(kernel: &Arc<Inner>, id: &PluginId, start: bool, path: &mut Vec<PluginId>) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    refuse_cycle(path, id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    refuse_disabled(&plugin)?;
    if plugin.state() == State::Quarantined {
        return Err(Error::new(Code::NotRunning, "the plugin is quarantined")
            .remedy("unload it to let it out of quarantine")
            .plugin(id));
    }
    plugin.advance(Event::Resolve)?;
    let loaded = load_resolved(kernel, &plugin, start, path).await;
    loaded.map_err(|error| {
        let error = error.plugin(id);
        fail(kernel, &plugin, &error);
        error
    })
}

async fn load_resolved(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, start: bool, path: &mut Vec<PluginId>) -> Result<()> {
    path.push(plugin.id.clone());
    let ready = Box::pin(load_dependencies(kernel, plugin, path)).await;
    path.pop();
    ready?;
    plugin.advance(Event::Load)?;
    let assembled = {
        let _place = kernel.loads.acquire().await;
        let found = plugin.life().found.clone();
        assemble(kernel.plan(&plugin.id, found, kernel.policy(&plugin.id))).await?
    };
    install(kernel, plugin, assembled)?;
    plugin.advance(Event::Initialized)?;
    announce(kernel, "plugin.loaded", plugin, json!({}));
    if start { start_locked(kernel, plugin).await } else { Ok(()) }
}

/// Lays a generation into the slot, parked, and makes it the current one.
fn install(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, assembled: Assembled) -> Result<()> {
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

async fn load_dependencies(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, path: &mut Vec<PluginId>) -> Result<()> {
    let dependencies = plugin.life().found.manifest.dependencies.clone();
    for dependency in dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Dev) {
        if dependency.id.as_str() == "core" {
            matching(&dependency.id, &dependency.version, &CONTRACT_VERSION)?;
            continue;
        }
        let Ok(needed) = kernel.plugin(&dependency.id) else {
            if dependency.optional {
                continue;
            }
            return Err(Error::new(
                Code::DependencyNotFound,
                format!("it needs `{}`, which is not there", dependency.id),
            )
            .remedy(format!("register `{}` {} first", dependency.id, dependency.version))
            .with("dependency", dependency.id.as_str()));
        };
        let version = needed.life().found.manifest.version.clone();
        let state = needed.state();
        let ready = match matching(&dependency.id, &dependency.version, &version) {
            Err(error) => Err(error),
            Ok(()) if matches!(state, State::Running | State::Updating) => Ok(()),
            Ok(()) if matches!(state, State::Loaded | State::Stopped) => Box::pin(start(kernel, &needed.id)).await,
            Ok(()) => load(kernel, &needed.id, true, path).await,
        };
        match ready {
            Err(error) if !dependency.optional && error.code() != Code::AlreadyLoaded => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn matching(
    id: &PluginId,
    range: &midplane_contract::VersionRange,
    version: &midplane_contract::Version,
) -> Result<()> {
    if range.matches(version) {
        return Ok(());
    }
    Err(Error::new(Code::VersionMismatch, format!("it needs `{id}` {range}, found {version}"))
        .remedy(format!("install a version of `{id}` that fits {range}"))
        .with("module", id.as_str())
        .with("required", range.to_string())
        .with("found", version.to_string()))
}

fn refuse_cycle(path: &[PluginId], id: &PluginId) -> Result<()> {
    let Some(from) = path.iter().position(|waiting| waiting == id) else { return Ok(()) };
    let mut names: Vec<&str> = path.iter().skip(from).map(PluginId::as_str).collect();
    names.push(id.as_str());
    let edges: Vec<String> =
        names.iter().zip(names.iter().skip(1)).map(|(from, to)| format!("{from} → {to}")).collect();
    Err(Error::new(Code::DependencyCycle, format!("plugins depend on each other: {}", edges.join(", ")))
        .remedy("remove one of these dependencies, or make it optional")
        .with("edges", edges))
}

fn refuse_disabled(plugin: &Plugin) -> Result<()> {
    if !plugin.life().disabled {
        return Ok(());
    }
    Err(Error::new(Code::NotRunning, "the plugin is disabled").remedy("enable it first").plugin(&plugin.id))
}

/// Starts a plugin that is loaded or stopped.
pub(crate) async fn start(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    refuse_disabled(&plugin)?;
    start_or_fail(kernel, &plugin).await
}

async fn start_or_fail(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    start_locked(kernel, plugin).await.inspect_err(|error| {
        if plugin.state() == State::Starting {
            fail(kernel, plugin, error);
        }
    })
}

async fn start_locked(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    plugin.advance(Event::Start)?;
    let core = &plugin.slot.core;
    let (number, generation) = (core.current(), loaded(plugin)?);
    for lane in 0..core.berth_at(number).lanes() {
        let Some(mut turn) = claim_lane(core, number, lane).await else { continue };
        if let Some(instance) = turn.take() {
            turn.give(Some(build::hook(&generation, instance, Hook::Start).await?));
        }
    }
    // Only when every instance has started does any of them take calls.
    for lane in 0..core.berth_at(number).lanes() {
        if let Some(mut turn) = claim_lane(core, number, lane).await {
            turn.park(false);
        }
    }
    plugin.advance(Event::Started)?;
    core.open();
    announce(kernel, "plugin.started", plugin, json!({}));
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
    let (number, generation) = (core.current(), loaded(plugin)?);
    retire::park(plugin, number, &generation).await;
    plugin.advance(Event::Stopped)?;
    announce(kernel, "plugin.stopped", plugin, json!({}));
    Ok(())
}

/// Stops if needed and unloads.
pub(crate) async fn unload(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    refuse_dependents(kernel, id)?;
    unload_locked(kernel, &plugin).await
}

async fn unload_locked(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) -> Result<()> {
    if plugin.state() == State::Running {
        stop_locked(kernel, plugin).await?;
    }
    plugin.advance(Event::Unload)?;
    let core = &plugin.slot.core;
    core.close(Error::new(Code::NotLoaded, "the plugin is not loaded").remedy("load it first"));
    if let Some(generation) = core.generation() {
        retire::retire(plugin, core.current(), generation, retire::LastHooks::Cleanup).await;
    }
    plugin.advance(Event::Unloaded)?;
    announce(kernel, "plugin.unloaded", plugin, json!({}));
    Ok(())
}

fn refuse_dependents(kernel: &Inner, id: &PluginId) -> Result<()> {
    let needs = |other: &Arc<Plugin>| {
        let life = other.life();
        let loaded = matches!(life.state, State::Running | State::Updating | State::Starting | State::Loaded);
        let mut dependencies = life.found.manifest.dependencies.iter();
        loaded && dependencies.any(|dependency| &dependency.id == id && !dependency.optional)
    };
    let dependents: Vec<String> =
        kernel.plugins().iter().filter(|other| needs(other)).map(|other| other.id.to_string()).collect();
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::HasDependents, format!("others that run need `{id}`: {}", dependents.join(", ")))
        .remedy("unload them first")
        .plugin(id)
        .with("module", id.as_str())
        .with("dependents", dependents))
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
        _ => load(kernel, id, true, &mut Vec::new()).await?,
    }
    announce(kernel, "plugin.restarted", &plugin, json!({}));
    Ok(())
}

/// Stops a plugin and keeps it stopped.
pub(crate) async fn disable(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    plugin.life().disabled = true;
    announce(kernel, "plugin.disabled", &plugin, json!({}));
    if plugin.state() == State::Running { stop_locked(kernel, &plugin).await } else { Ok(()) }
}

/// Undoes [`disable`].
pub(crate) async fn enable(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    plugin.life().disabled = false;
    announce(kernel, "plugin.enabled", &plugin, json!({}));
    let stopped = matches!(plugin.state(), State::Stopped | State::Loaded);
    if stopped { start_or_fail(kernel, &plugin).await } else { Ok(()) }
}

/// Forgets a plugin that is not loaded.
pub(crate) async fn unregister(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let _one_at_a_time = plugin.operations.lock().await;
    match plugin.state() {
        State::Registered | State::Discovered | State::Failed => {}
        state => {
            return Err(Error::new(Code::AlreadyLoaded, format!("`{id}` is {state}"))
                .remedy("unload it first")
                .plugin(id));
        }
    }
    refuse_dependents(kernel, id)?;
    plugin.slot.core.close(Error::new(Code::PluginNotFound, "the plugin is no longer registered"));
    kernel.remove(id);
    announce(kernel, "plugin.unregistered", &plugin, json!({}));
    Ok(())
}

/// Marks a plugin as failed, refuses its callers with the cause, and clears away what is left of it.
pub(crate) fn fail(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, cause: &Error) {
    plugin.fail(cause);
    let why = Error::new(Code::NotRunning, format!("the plugin has failed: {}", cause.record().message))
        .remedy("mend the cause, then restart it")
        .because(cause)
        .with("cause_code", cause.code().as_str());
    plugin.slot.core.close(why);
    announce(kernel, "plugin.failed", plugin, json!({ "error": cause }));
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
    }
}

/// Stops and unloads everything, dependents first.
pub(crate) async fn shutdown(kernel: &Arc<Inner>) {
    kernel.announce("host.stopping", json!({}));
    loop {
        let loaded: Vec<Arc<Plugin>> =
            kernel.plugins().into_iter().filter(|plugin| plugin.slot.core.generation().is_some()).collect();
        if loaded.is_empty() {
            return;
        }
        let mut progress = false;
        for plugin in &loaded {
            progress |= unload(kernel, &plugin.id).await.is_ok();
        }
        if !progress {
            // What is left needs each other or is stuck; it goes with the process.
            return;
        }
    }
}

/// The generation that is loaded.
pub(crate) fn loaded(plugin: &Plugin) -> Result<Arc<Generation>> {
    plugin.slot.core.generation().ok_or_else(|| {
        Error::new(Code::NotLoaded, "the plugin is not loaded").remedy("load it first").plugin(&plugin.id)
    })
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
