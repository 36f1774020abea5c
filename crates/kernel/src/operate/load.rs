//! Loading: what a plugin depends on first, then its own code, laid into its slot.

use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result, State};
use serde_json::json;

use super::dependencies::{self, Brought};
use super::{announce, fail, gone, not_running, refuse_disabled, start_locked};
use crate::assemble::{Assembled, Assembly, assemble};
use crate::kernel::Inner;
use crate::lane::Occupant;
use crate::lifecycle::Event;
use crate::plugin::Plugin;
use crate::runtime::BoxFuture;
use crate::{guest, kept};

/// Loads a plugin after the plugins it depends on.
pub(crate) async fn load(kernel: &Arc<Inner>, id: &PluginId, start: bool) -> Result<()> {
    load_noting(kernel, id, start, &Brought::new(kernel)).await
}

/// Loads a plugin after the plugins it depends on, and notes which of those it touched.
pub(super) async fn load_noting(kernel: &Arc<Inner>, id: &PluginId, start: bool, brought: &Brought) -> Result<()> {
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
pub(super) async fn load_alone(
    kernel: &Arc<Inner>,
    plugin: &Arc<Plugin>,
    start: bool,
    ready: Result<()>,
    brought: &Brought,
) -> Result<()> {
    let mut ready = ready;
    loop {
        match load_once(kernel, plugin, start, ready, brought).await? {
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

async fn load_once(
    kernel: &Arc<Inner>,
    plugin: &Arc<Plugin>,
    start: bool,
    ready: Result<()>,
    brought: &Brought,
) -> Result<Progress> {
    let _one_at_a_time = plugin.operations.lock().await;
    // Whoever ends everything from here on waits for this.
    kernel.ending.refuse(brought.after)?;
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

/// Loads and starts. A load may start others, and so on: the type of that has to end somewhere.
pub(super) fn load_boxed<'a>(kernel: &'a Arc<Inner>, id: &'a PluginId) -> BoxFuture<'a, Result<()>> {
    Box::pin(load(kernel, id, true))
}
