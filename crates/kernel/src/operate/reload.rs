//! Replacing a generation by what stands in the plugin's folder, while calls go on.

use std::sync::Arc;

use midplane_contract::{Code, Error, Placement, PluginId, Result, State};
use serde_json::json;

use super::dependencies::{self, Brought};
use super::retire::{self, LastHooks};
use super::{announce, load, loaded, refuse_disabled, reinstate, unload_locked};
use crate::assemble::{Assembled, Assembly, assemble, left};
use crate::availability;
use crate::build;
use crate::discover::Found;
use crate::kernel::Inner;
use crate::lane::Occupant;
use crate::lifecycle::Event;
use crate::plugin::{Plugin, Source};
use crate::policy::Policy;
use crate::services;

/// Reads the plugin again and replaces it. See [`crate::Kernel::reload`].
pub(crate) async fn reload(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    read_and_replace(kernel, id).await?;
    reinstate::follow(kernel, id);
    Ok(())
}

async fn read_and_replace(kernel: &Arc<Inner>, id: &PluginId) -> Result<()> {
    let plugin = kernel.plugin(id)?;
    let one_at_a_time = plugin.operations.lock().await;
    refuse_disabled(&plugin)?;
    // Read with the lock held: of two reloads the later one must not bring back what the earlier one read.
    let found = read_again(kernel, &plugin).await?;
    match plugin.state() {
        State::Running => replace(kernel, &plugin, found).await,
        state => {
            if matches!(state, State::Loaded | State::Stopped) {
                unload_locked(kernel, &plugin).await?;
            }
            take_over(kernel, &plugin, found);
            drop(one_at_a_time);
            load(kernel, id, true).await
        }
    }
}

async fn read_again(kernel: &Arc<Inner>, plugin: &Plugin) -> Result<Found> {
    let mut found = read_as_is(kernel, plugin).await?;
    found.manifest.dependencies.extend(plugin.life().added.iter().cloned());
    Ok(found)
}

async fn read_as_is(kernel: &Arc<Inner>, plugin: &Plugin) -> Result<Found> {
    let path = match &plugin.life().source {
        Source::Path(path) => path.clone(),
        Source::Guest(latest) => return Ok(Found::clone(latest)),
    };
    let found = kernel.find(&path).await?;
    if found.manifest.id != plugin.id {
        let message = format!("the folder now holds `{}`, not `{}`", found.manifest.id, plugin.id);
        return Err(Error::new(Code::ManifestInvalid, message)
            .remedy("put the id back, or register the folder as another plugin")
            .plugin(&plugin.id));
    }
    Ok(found)
}

fn take_over(kernel: &Inner, plugin: &Plugin, found: Found) {
    {
        let mut life = plugin.life();
        life.found = found;
        // What the next code says counts.
        life.declared.clear();
        life.health = None;
    }
    kernel.renew_grants(&plugin.id);
}

async fn replace(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, found: Found) -> Result<()> {
    plugin.advance(Event::Update)?;
    let mut found = found;
    let next = prepare(kernel, plugin, &mut found).await;
    let replaced = match next {
        Ok(next) => switch(kernel, plugin, next).await,
        Err(error) => Err(error),
    };
    let replaced = match (plugin.advance(Event::Updated), replaced) {
        (Ok(_), replaced) => replaced,
        // The old generation died meanwhile: what has failed is restarted, not updated.
        (Err(error), replaced) => {
            let cause = plugin.life().cause.clone().unwrap_or(error);
            if let (Ok(()), Some(next)) = (replaced, plugin.slot.core.generation()) {
                retire::retire(plugin, plugin.slot.core.current(), next, LastHooks::StopAndCleanup).await;
            }
            Err(cause)
        }
    };
    match replaced {
        Ok(()) => {
            take_over(kernel, plugin, found);
            plugin.life().count_load();
            kernel.note_usage(&plugin.id);
            services::admit(kernel, plugin).await;
            announce(kernel, "plugin.updated", plugin, json!({}));
            availability::arrived(kernel, plugin);
            Ok(())
        }
        Err(error) => {
            plugin.inbox.unstage();
            let error = error.plugin(&plugin.id);
            plugin.life().last_error = Some(error.clone());
            announce(kernel, "plugin.update_failed", plugin, json!({ "error": error }));
            Err(error)
        }
    }
}

/// The next generation with started instances, beside the old one. What its code says that it needs is added to what was
/// found.
async fn prepare(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, found: &mut Found) -> Result<Assembled> {
    let mut declared = Vec::new();
    let (Assembled { generation, instances }, late) = loop {
        dependencies::make_ready(kernel, &found.manifest, &Brought::new(kernel)).await?;
        dependencies::check(kernel, &found.manifest)?;
        let policy = policy(kernel, plugin)?;
        let _place = kernel.loads.acquire().await;
        let plan = kernel.plan(&plugin.id, found.clone(), policy);
        let late = plan.late;
        match assemble(plan).await? {
            Assembly::Whole(assembled) => break (assembled, late),
            Assembly::Needs(more) => dependencies::declare(found, &mut declared, more)?,
        }
    };
    let instances = build::start(&generation, instances, left(generation.times.hook, late)).await?;
    Ok(Assembled { generation, instances })
}

/// Code that cannot leave this process would pile up with every reload: its next generation gets a worker.
fn policy(kernel: &Inner, plugin: &Plugin) -> Result<Policy> {
    let mut policy = kernel.policy(&plugin.id);
    let old = loaded(plugin)?;
    if let (Some(reason), Placement::InProcess) = (&old.code.facts().stays_loaded, old.placement) {
        tracing::warn!(plugin = %plugin.id, reason, "the code cannot be unloaded; its next generation runs in a worker");
        policy.placement = Some(Placement::Worker);
    }
    Ok(policy)
}

async fn switch(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, next: Assembled) -> Result<()> {
    if let Some(cause) = plugin.life().cause.clone() {
        // The old generation died while the next was prepared: what has failed is restarted, not updated.
        return Err(cause);
    }
    let core = &plugin.slot.core;
    let old = loaded(plugin)?;
    let berth = core.claim()?;
    let (number, actions) = (next.generation.number, core.table(&next.generation));
    let idle = next.instances.into_iter().map(Occupant::Idle);
    core.berth_at(berth).lay(next.generation, &actions, idle);
    let before = core.switch(berth);
    plugin.inbox.succeed(&kernel.bus, number);
    retire::retire(plugin, before, old, LastHooks::StopAndCleanup).await;
    Ok(())
}
