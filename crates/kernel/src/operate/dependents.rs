//! What needs a plugin: it keeps the plugin loaded, or goes with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result, State};

use super::dependencies::needs;
use super::unload;
use crate::kernel::Inner;
use crate::plugin::Plugin;

/// How often dependents that came while others went are looked for again.
const ROUNDS: usize = 8;

/// Refuses to unload what others need that run or are about to.
///
/// # Errors
/// `has_dependents {dependents}`.
pub(super) fn refuse(kernel: &Inner, id: &PluginId) -> Result<()> {
    refuse_with(kernel, id, Vec::new())
}

/// The same, where there are others that need it beside those that run.
///
/// # Errors
/// `has_dependents {dependents}`.
pub(super) fn refuse_with(kernel: &Inner, id: &PluginId, others: Vec<PluginId>) -> Result<()> {
    let what = if others.is_empty() { "others that run need" } else { "others that run or are installed need" };
    let dependents: BTreeSet<PluginId> = loaded(kernel, id).map(|plugin| plugin.id.clone()).chain(others).collect();
    if dependents.is_empty() {
        return Ok(());
    }
    let dependents: Vec<String> = dependents.iter().map(PluginId::to_string).collect();
    Err(Error::new(Code::HasDependents, format!("{what} `{id}`: {}", dependents.join(", ")))
        .remedy("unload them first, or unload with everything that needs it")
        .plugin(id)
        .with("module", id.as_str())
        .with("dependents", dependents))
}

/// Unloads a plugin after everything that needs it, directly or not: whatever is needed goes after what needs it. Returns
/// what went, in that order.
pub(crate) async fn unload_cascade(kernel: &Arc<Inner>, id: &PluginId) -> Result<Vec<PluginId>> {
    let mut gone = Vec::new();
    let mut refused = Ok(());
    for _ in 0..ROUNDS {
        refused = Ok(());
        for next in farthest_first(kernel, id) {
            match unload(kernel, &next).await {
                Ok(()) => gone.push(next),
                // It went by itself.
                Err(error) if error.code() == Code::NotLoaded && next != *id => {}
                // Somebody who needs it came meanwhile.
                Err(error) if error.code() == Code::HasDependents => {
                    refused = Err(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if refused.is_ok() {
            break;
        }
    }
    refused.map(|()| gone)
}

/// A plugin and all that need it, each before what it needs.
fn farthest_first(kernel: &Inner, id: &PluginId) -> Vec<PluginId> {
    let above = |id: &PluginId| -> Vec<PluginId> { loaded(kernel, id).map(|plugin| plugin.id.clone()).collect() };
    let mut order = Vec::new();
    let mut seen = BTreeSet::from([id.clone()]);
    let mut path = vec![(id.clone(), above(id))];
    while let Some((_, left)) = path.last_mut() {
        match left.pop() {
            Some(next) if seen.insert(next.clone()) => {
                let above = above(&next);
                path.push((next, above));
            }
            Some(_) => {}
            None => order.extend(path.pop().map(|(id, _)| id)),
        }
    }
    order
}

/// The plugins that must have another and are loaded or about to be, or are just ending, by id.
fn loaded(kernel: &Inner, id: &PluginId) -> impl Iterator<Item = Arc<Plugin>> {
    let is_loaded = |state| {
        matches!(
            state,
            State::Resolved
                | State::Loading
                | State::Loaded
                | State::Starting
                | State::Running
                | State::Updating
                | State::Stopping
                | State::Unloading
        )
    };
    kernel.plugins().into_iter().filter(move |other| {
        let life = other.life();
        is_loaded(life.state) && needs(&life.found.manifest).any(|needed| needed.id == *id && !needed.optional)
    })
}
