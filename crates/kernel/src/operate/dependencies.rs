//! What a plugin needs: in which order it is loaded, and what is wrong with it. Every plugin is loaded by itself, with
//! no other plugin's lock held, so that loads that go on at once cannot wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{CONTRACT_VERSION, Code, Error, Manifest, PluginId, Result, State};

use super::{load_alone, start};
use crate::kernel::Inner;
use crate::plugin::Plugin;

/// What went wrong with dependencies, by their ids.
type Troubles = BTreeMap<PluginId, Error>;

/// Loads and starts everything that a plugin with this manifest needs, directly or not.
///
/// # Errors
/// `dependency_cycle {edges}`, or what is wrong with the first thing that it needs itself.
pub(super) async fn make_ready(kernel: &Arc<Inner>, root: &Manifest) -> Result<()> {
    refuse_cycle(kernel, root)?;
    let mut troubles = Troubles::new();
    for id in order(kernel, root) {
        let Ok(plugin) = kernel.plugin(&id) else { continue };
        if let Err(error) = ensure(kernel, &plugin, &troubles).await {
            troubles.insert(id, error);
        }
    }
    blocked(root, &troubles)
}

async fn ensure(kernel: &Arc<Inner>, plugin: &Arc<Plugin>, troubles: &Troubles) -> Result<()> {
    let done = match plugin.state() {
        State::Running | State::Updating => return Ok(()),
        State::Loaded | State::Stopped => start(kernel, &plugin.id).await,
        _ => load_alone(kernel, plugin, true, blocked(&manifest(plugin), troubles)).await,
    };
    // Somebody else may have been quicker.
    done.or_else(|error| if plugin.state() == State::Running { Ok(()) } else { Err(error) })
}

/// The trouble with the first dependency that there is trouble with and that must be there.
fn blocked(manifest: &Manifest, troubles: &Troubles) -> Result<()> {
    let mut needed = needs(manifest).filter(|needed| !needed.optional);
    needed.find_map(|needed| troubles.get(&needed.id)).map_or(Ok(()), |error| Err(error.clone()))
}

/// Whether everything is there and runs that a plugin must have.
///
/// # Errors
/// `dependency_not_found {dependency}`, `version_mismatch {module, required, found}`, `not_running`.
pub(super) fn check(kernel: &Inner, manifest: &Manifest) -> Result<()> {
    for needed in needs(manifest).filter(|needed| !needed.optional) {
        if is_host(needed) {
            matching(needed, &CONTRACT_VERSION)?;
            continue;
        }
        let plugin = kernel.plugin(&needed.id).map_err(|_| missing(needed))?;
        matching(needed, &plugin.life().found.manifest.version)?;
        let state = plugin.state();
        if !matches!(state, State::Running | State::Updating) {
            return Err(Error::new(Code::NotRunning, format!("it needs `{}`, which is {state}", needed.id))
                .remedy(format!("start `{}` first", needed.id))
                .with("dependency", needed.id.as_str()));
        }
    }
    Ok(())
}

/// Refuses to unload what others need that run or are about to.
///
/// # Errors
/// `has_dependents {dependents}`.
pub(super) fn refuse_dependents(kernel: &Inner, id: &PluginId) -> Result<()> {
    let is_loaded = |state| {
        matches!(
            state,
            State::Resolved | State::Loading | State::Loaded | State::Starting | State::Running | State::Updating
        )
    };
    let depends = |other: &Arc<Plugin>| {
        let life = other.life();
        is_loaded(life.state) && needs(&life.found.manifest).any(|needed| &needed.id == id && !needed.optional)
    };
    let dependents: Vec<String> =
        kernel.plugins().iter().filter(|other| depends(other)).map(|other| other.id.to_string()).collect();
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::HasDependents, format!("others that run need `{id}`: {}", dependents.join(", ")))
        .remedy("unload them first")
        .plugin(id)
        .with("module", id.as_str())
        .with("dependents", dependents))
}

/// The plugins below `root`, each after what it needs itself. Optional ones that cannot come before it are left out.
fn order(kernel: &Inner, root: &Manifest) -> Vec<PluginId> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::from([root.id.clone()]);
    let mut path = vec![(root.id.clone(), children(kernel, root))];
    while let Some((_, children_left)) = path.last_mut() {
        let Some(next) = children_left.pop() else {
            order.extend(path.pop().map(|(id, _)| id));
            continue;
        };
        let waiting: BTreeSet<&PluginId> = path.iter().map(|(id, _)| id).collect();
        if seen.contains(&next.id) || (next.optional && leads_to(kernel, &next.id, &waiting)) {
            continue;
        }
        seen.insert(next.id.clone());
        if let Ok(plugin) = kernel.plugin(&next.id) {
            path.push((next.id, children(kernel, &manifest(&plugin))));
        }
    }
    // The root comes last; it is not its own dependency.
    order.pop();
    order
}

/// The dependencies that are there in a version that fits, the first one last.
fn children(kernel: &Inner, manifest: &Manifest) -> Vec<Dependency> {
    let fits = |needed: &&Dependency| {
        let plugin = kernel.plugin(&needed.id);
        plugin.is_ok_and(|plugin| needed.version.matches(&plugin.life().found.manifest.version))
    };
    let mut children: Vec<Dependency> =
        needs(manifest).filter(|needed| !is_host(needed)).filter(fits).cloned().collect();
    children.reverse();
    children
}

/// Whether a plugin must have one of those, directly or not.
fn leads_to(kernel: &Inner, from: &PluginId, those: &BTreeSet<&PluginId>) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from.clone()];
    while let Some(id) = left.pop() {
        if those.contains(&id) {
            return true;
        }
        if let (true, Ok(plugin)) = (seen.insert(id.clone()), kernel.plugin(&id)) {
            left.extend(needs(&manifest(&plugin)).filter(|needed| !needed.optional).map(|needed| needed.id.clone()));
        }
    }
    false
}

/// Refuses plugins that must have each other.
fn refuse_cycle(kernel: &Inner, root: &Manifest) -> Result<()> {
    let required = |manifest: &Manifest| -> Vec<PluginId> {
        needs(manifest).filter(|needed| !needed.optional).map(|needed| needed.id.clone()).collect()
    };
    let mut seen = BTreeSet::new();
    let mut path = vec![(root.id.clone(), required(root))];
    while let Some((_, left)) = path.last_mut() {
        let Some(next) = left.pop() else {
            path.pop();
            continue;
        };
        if let Some(from) = path.iter().position(|(waiting, _)| *waiting == next) {
            return Err(cycle(path.iter().skip(from).map(|(id, _)| id).chain([&next])));
        }
        if let (true, Ok(plugin)) = (seen.insert(next.clone()), kernel.plugin(&next)) {
            path.push((next, required(&manifest(&plugin))));
        }
    }
    Ok(())
}

fn cycle<'a>(members: impl Iterator<Item = &'a PluginId>) -> Error {
    let names: Vec<&str> = members.map(PluginId::as_str).collect();
    let edges: Vec<String> =
        names.iter().zip(names.iter().skip(1)).map(|(from, to)| format!("{from} → {to}")).collect();
    Error::new(Code::DependencyCycle, format!("plugins depend on each other: {}", edges.join(", ")))
        .remedy("remove one of these dependencies, or make it optional")
        .with("edges", edges)
}

fn matching(needed: &Dependency, version: &midplane_contract::Version) -> Result<()> {
    let Dependency { id, version: range, .. } = needed;
    if range.matches(version) {
        return Ok(());
    }
    Err(Error::new(Code::VersionMismatch, format!("it needs `{id}` {range}, found {version}"))
        .remedy(format!("install a version of `{id}` that fits {range}"))
        .with("module", id.as_str())
        .with("required", range.to_string())
        .with("found", version.to_string()))
}

fn missing(needed: &Dependency) -> Error {
    Error::new(Code::DependencyNotFound, format!("it needs `{}`, which is not there", needed.id))
        .remedy(format!("register `{}` {} first", needed.id, needed.version))
        .with("dependency", needed.id.as_str())
}

fn needs(manifest: &Manifest) -> impl Iterator<Item = &Dependency> {
    manifest.dependencies.iter().filter(|needed| needed.kind != DependencyKind::Dev)
}

fn is_host(needed: &Dependency) -> bool {
    needed.id.as_str() == "core"
}

fn manifest(plugin: &Plugin) -> Manifest {
    plugin.life().found.manifest.clone()
}
