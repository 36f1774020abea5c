//! Optional dependencies come and go, and those who would use them are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_lite::future::block_on;
use midplane_contract::manifest::Dependency;
use midplane_contract::{Hook, PluginId, Result, State};
use serde_json::json;

use crate::generation::Generation;
use crate::hooks::Hooks;
use crate::kernel::Inner;
use crate::operate::{announce, needs};
use crate::plugin::Plugin;
use crate::probe;
use crate::runtime::Instance;
use crate::tasks;

/// Who would use what, of those that have been started: whoever comes or goes finds whom to tell without looking at
/// every plugin.
#[derive(Default)]
pub(crate) struct Wishes(Mutex<BTreeMap<PluginId, BTreeSet<PluginId>>>);

/// What a generation was told about its optional dependencies; what is not in it is not there.
#[derive(Default)]
pub(crate) struct Told {
    /// Held while it is told something: in order, one after the other.
    turn: async_lock::Mutex<()>,
    known: Mutex<BTreeMap<PluginId, bool>>,
}

impl Told {
    fn known(&self) -> MutexGuard<'_, BTreeMap<PluginId, bool>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wishes {
    /// A plugin is no longer registered.
    pub(crate) fn forget(&self, id: &PluginId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, wishing| {
            wishing.remove(id);
            !wishing.is_empty()
        });
    }
}

/// A plugin began to run, with this generation or again: it is told of what is there by now, and others of it.
pub(crate) fn arrived(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    let wishes: Vec<PluginId> = optional(plugin).into_iter().map(|wish| wish.id).collect();
    if !wishes.is_empty() {
        let mut known = kernel.wishes.0.lock().unwrap_or_else(PoisonError::into_inner);
        for wish in wishes {
            known.entry(wish).or_default().insert(plugin.id.clone());
        }
        drop(known);
        inform(kernel, plugin);
    }
    changed(kernel, &plugin.id);
}

/// A plugin came or went: those who would use it are told, in the background.
pub(crate) fn changed(kernel: &Arc<Inner>, id: &PluginId) {
    let wishing = kernel.wishes.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default();
    for plugin in wishing.iter().filter_map(|id| kernel.plugin(id).ok()) {
        inform(kernel, &plugin);
    }
}

/// Tells a plugin what changed since it was last told, on a thread of its own: a hook that hangs holds up nobody else.
fn inform(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    if !is_running(plugin) {
        return;
    }
    let (kernel, plugin) = (Arc::clone(kernel), Arc::clone(plugin));
    tasks::apart(move || block_on(tell(&kernel, &plugin)));
}

async fn tell(kernel: &Arc<Inner>, plugin: &Arc<Plugin>) {
    let Some(generation) = plugin.slot.core.generation() else { return };
    let _in_order = generation.told.turn.lock().await;
    for wish in optional(plugin) {
        if !is_running(plugin) {
            // It is told when it runs again.
            return;
        }
        // What is so now counts, not what was when this was begun: who comes and goes quickly is not told of twice.
        let available = is_available(kernel, &wish);
        let before = generation.told.known().insert(wish.id.clone(), available).unwrap_or(false);
        if before == available {
            continue;
        }
        let told = probe::tell_all(plugin, &generation, Hook::DependencyChanged, input(&wish.id, available)).await;
        if let Err(error) = told {
            tracing::warn!(plugin = %plugin.id, dependency = %wish.id, available, %error, "a plugin was told in vain");
            plugin.life().last_error = Some(error);
        }
        let data = json!({ "dependency": wish.id, "available": available });
        announce(kernel, "plugin.dependency_changed", plugin, data);
    }
}

/// Tells an instance that was made for a running plugin what its siblings know.
pub(crate) fn catch_up(generation: &Generation, hooks: &Hooks, instance: &mut dyn Instance) -> Result<()> {
    let there: Vec<PluginId> =
        generation.told.known().iter().filter(|(_, there)| **there).map(|(id, _)| id.clone()).collect();
    there.iter().try_for_each(|id| hooks.run(instance, Hook::DependencyChanged, &input(id, true)).map(drop))
}

fn input(id: &PluginId, available: bool) -> Arc<[u8]> {
    json!({ "id": id, "available": available }).to_string().into_bytes().into()
}

fn optional(plugin: &Plugin) -> Vec<Dependency> {
    needs(&plugin.life().found.manifest).filter(|needed| needed.optional).cloned().collect()
}

/// Whether a plugin runs in a version that will do.
fn is_available(kernel: &Inner, wish: &Dependency) -> bool {
    let Ok(plugin) = kernel.plugin(&wish.id) else { return false };
    let life = plugin.life();
    matches!(life.state, State::Running | State::Updating)
        && kernel.selection.takes(&wish.version, &life.found.manifest.version)
}

fn is_running(plugin: &Plugin) -> bool {
    matches!(plugin.state(), State::Running | State::Updating)
}
