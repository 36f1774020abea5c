//! Which plugin is loaded before which.

use std::collections::{BTreeMap, BTreeSet};

use midplane_contract::PluginId;
use midplane_contract::manifest::{Dependency, DependencyKind};

use super::plan::{Plan, Step};
use super::solver::Chosen;
use super::stock::{Stock, is_host};
use super::why::Refusal;

/// One plugin of the plan and what it waits for.
struct Node {
    needs: BTreeSet<u32>,
    uses: BTreeSet<u32>,
    without: BTreeSet<PluginId>,
}

/// Puts what was chosen in order.
///
/// # Errors
/// `dependency_cycle {edges}`: plugins that must have each other.
pub(super) fn plan(stock: &Stock<'_>, chosen: &Chosen) -> Result<Plan, Refusal> {
    let nodes: BTreeMap<u32, Node> = chosen
        .iter()
        .filter_map(|(plugin, position)| Some((*plugin, node(stock, chosen, *plugin, *position)?)))
        .collect();
    let asked: BTreeSet<u32> = stock.roots.iter().filter_map(|root| stock.number(&root.id)).collect();
    let waves = waves(&nodes, &asked).map_err(|left| circle(stock, &nodes, &left))?;
    let mut steps: Vec<(usize, u32)> = waves.into_iter().map(|(plugin, wave)| (wave, plugin)).collect();
    steps.sort_unstable();
    let step = |(wave, plugin): (usize, u32)| {
        let release = stock.release(plugin, *chosen.get(&plugin)?)?;
        let node = nodes.get(&plugin)?;
        let ids = |numbers: &BTreeSet<u32>| -> Vec<PluginId> {
            numbers.iter().filter_map(|number| Some(stock.shelf(*number)?.id.clone())).collect()
        };
        Some(Step {
            id: stock.shelf(plugin)?.id.clone(),
            version: release.version.clone(),
            wave,
            asked: asked.contains(&plugin),
            standing: release.standing,
            needs: ids(&node.needs),
            uses: ids(&node.uses),
            without: node.without.iter().cloned().collect(),
            deprecated: release.deprecated.clone(),
        })
    };
    Ok(Plan { steps: steps.into_iter().filter_map(step).collect() })
}

fn node(stock: &Stock<'_>, chosen: &Chosen, plugin: u32, position: u32) -> Option<Node> {
    let mut node = Node { needs: BTreeSet::new(), uses: BTreeSet::new(), without: BTreeSet::new() };
    let counts = |needed: &&Dependency| needed.kind != DependencyKind::Dev && !is_host(&needed.id);
    for needed in stock.release(plugin, position)?.dependencies.iter().filter(counts) {
        let number = stock.number(&needed.id);
        if !needed.optional {
            node.needs.extend(number);
            continue;
        }
        match number {
            Some(number) if fits(stock, chosen, number, needed) => {
                node.uses.insert(number);
            }
            _ => {
                node.without.insert(needed.id.clone());
            }
        }
    }
    node.uses.retain(|used| !node.needs.contains(used) && *used != plugin);
    Some(node)
}

/// Whether the version that was chosen is one that an optional dependency can use.
fn fits(stock: &Stock<'_>, chosen: &Chosen, number: u32, needed: &Dependency) -> bool {
    let release = chosen.get(&number).and_then(|position| stock.release(number, *position));
    release.is_some_and(|release| stock.takes(&needed.version, release))
}

/// The wave of each plugin (Kahn's topological sort): one more than the latest of what it waits for. Where everybody that
/// is left waits, somebody goes on without what is only used: one that was not asked for before one that was, as it may
/// be used by that.
///
/// # Errors
/// Those that are left when all of them wait for what they must have.
fn waves(nodes: &BTreeMap<u32, Node>, asked: &BTreeSet<u32>) -> Result<BTreeMap<u32, usize>, BTreeSet<u32>> {
    let mut waiting: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    let mut followers: BTreeMap<u32, Vec<(u32, bool)>> = BTreeMap::new();
    for (plugin, node) in nodes {
        waiting.insert(*plugin, (node.needs.len(), node.uses.len()));
        let needs = node.needs.iter().map(|needed| (needed, true));
        for (before, must) in needs.chain(node.uses.iter().map(|used| (used, false))) {
            followers.entry(*before).or_default().push((*plugin, must));
        }
    }
    let mut waves = BTreeMap::new();
    let mut wave_of: BTreeMap<u32, usize> = BTreeMap::new();
    let mut ready: BTreeSet<u32> =
        waiting.iter().filter(|(_, left)| **left == (0, 0)).map(|(plugin, _)| *plugin).collect();
    while !waiting.is_empty() {
        let could =
            |(plugin, left): (&u32, &(usize, usize))| (left.0 == 0).then_some((asked.contains(plugin), *plugin));
        let next = match ready.pop_first() {
            Some(next) => next,
            None => match waiting.iter().filter_map(could).min() {
                Some((_, next)) => next,
                None => return Err(waiting.into_keys().collect()),
            },
        };
        waiting.remove(&next);
        let wave = wave_of.get(&next).copied().unwrap_or(0);
        waves.insert(next, wave);
        for (follower, must) in followers.remove(&next).unwrap_or_default() {
            let Some(left) = waiting.get_mut(&follower) else { continue };
            if must {
                left.0 -= 1
            } else {
                left.1 -= 1
            }
            if *left == (0, 0) {
                ready.insert(follower);
            }
            let at = wave_of.entry(follower).or_default();
            *at = (*at).max(wave + 1);
        }
    }
    Ok(waves)
}

/// A circle among plugins that all wait, edge by edge, from the first of them by id.
fn circle(stock: &Stock<'_>, nodes: &BTreeMap<u32, Node>, left: &BTreeSet<u32>) -> Refusal {
    let next = |plugin: &u32| nodes.get(plugin)?.needs.iter().find(|needed| left.contains(needed)).copied();
    let mut path: Vec<u32> = Vec::new();
    let mut at = left.first().copied();
    while let Some(plugin) = at.filter(|plugin| !path.contains(plugin)) {
        path.push(plugin);
        at = next(&plugin);
    }
    let start = path.iter().position(|plugin| Some(*plugin) == at).unwrap_or(0);
    let mut members = path.split_off(start);
    let first = members.iter().enumerate().min_by_key(|(_, plugin)| **plugin).map_or(0, |(at, _)| at);
    members.rotate_left(first);
    let names: Vec<&str> =
        members.iter().chain(members.first()).filter_map(|plugin| Some(stock.shelf(*plugin)?.id.as_str())).collect();
    Refusal::circle(&names)
}
