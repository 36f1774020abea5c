//! Which plugin is loaded before which.

use std::collections::BTreeSet;

use midplane_contract::PluginId;

use super::plan::{Plan, Step};
use super::solver::Chosen;
use super::stock::{Stock, Written};
use super::why::Refusal;

/// One plugin of the plan and what it waits for, by places in the list of all of them, each once.
struct Node {
    plugin: u32,
    position: u32,
    asked: bool,
    needs: Vec<usize>,
    uses: Vec<usize>,
    without: Vec<PluginId>,
}

/// The place of each chosen plugin in the list of all of them, by its number.
struct Places(Vec<Option<usize>>);

impl Places {
    fn of(chosen: &Chosen) -> Self {
        let most = chosen.last_key_value().map_or(0, |(plugin, _)| *plugin as usize + 1);
        let mut places = vec![None; most];
        for (place, plugin) in chosen.keys().enumerate() {
            places.get_mut(*plugin as usize).into_iter().for_each(|known| *known = Some(place));
        }
        Self(places)
    }

    fn get(&self, plugin: u32) -> Option<usize> {
        self.0.get(plugin as usize).copied().flatten()
    }
}

/// Puts what was chosen in order.
///
/// # Errors
/// `dependency_cycle {edges}`: plugins that must have each other.
pub(super) fn plan(stock: &Stock<'_>, chosen: &Chosen) -> Result<Plan, Refusal> {
    let places = Places::of(chosen);
    let asked: BTreeSet<u32> = stock.roots.iter().filter_map(|root| stock.number(&root.id)).collect();
    let node = |(plugin, position): (&u32, &u32)| {
        let node = node(stock, chosen, &places, *plugin, *position);
        Node { asked: asked.contains(plugin), ..node }
    };
    let nodes: Vec<Node> = chosen.iter().map(node).collect();
    let waves = waves(&nodes).map_err(|left| circle(stock, &nodes, &left))?;
    let mut order: Vec<(usize, usize)> = waves.into_iter().zip(0..).collect();
    order.sort_unstable();
    let id = |place: &usize| Some(stock.shelf(nodes.get(*place)?.plugin)?.id.clone());
    let step = |(wave, place): (usize, usize)| {
        let node = nodes.get(place)?;
        let release = stock.release(node.plugin, node.position)?;
        Some(Step {
            id: id(&place)?,
            version: release.version.clone(),
            wave,
            asked: node.asked,
            standing: release.standing,
            needs: node.needs.iter().filter_map(id).collect(),
            uses: node.uses.iter().filter_map(id).collect(),
            without: node.without.clone(),
            deprecated: release.deprecated.clone(),
        })
    };
    Ok(Plan { steps: order.into_iter().filter_map(step).collect() })
}

fn node(stock: &Stock<'_>, chosen: &Chosen, places: &Places, plugin: u32, position: u32) -> Node {
    let (mut needs, mut uses, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for (link, written) in stock.links(plugin, position) {
        match places.get(link.number) {
            Some(place) if !link.optional => needs.push(place),
            Some(place) if link.number != plugin && fits(stock, chosen, link.number, written) => uses.push(place),
            _ if link.optional => without.extend(written.dependency().map(|wish| wish.id.clone())),
            _ => {}
        }
    }
    needs.sort_unstable();
    needs.dedup();
    uses.retain(|used| !needs.contains(used));
    uses.sort_unstable();
    uses.dedup();
    without.sort();
    without.dedup();
    Node { plugin, position, asked: false, needs, uses, without }
}

/// Whether the version that was chosen is one that an optional dependency can use.
fn fits(stock: &Stock<'_>, chosen: &Chosen, number: u32, written: Written<'_>) -> bool {
    let release = chosen.get(&number).and_then(|position| stock.release(number, *position));
    release.zip(written.dependency()).is_some_and(|(release, wish)| stock.accepts(&wish.version, release))
}

/// The wave of each plugin (Kahn's topological sort): one more than the latest of what it waits for. Where everybody that
/// is left waits, somebody goes on without what is only used: one that was not asked for before one that was, as it may
/// be used by that.
///
/// # Errors
/// Those that are left when all of them wait for what they must have.
fn waves(nodes: &[Node]) -> Result<Vec<usize>, BTreeSet<usize>> {
    let mut followers: Vec<Vec<(usize, bool)>> = vec![Vec::new(); nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        let needs = node.needs.iter().map(|needed| (needed, true));
        for (before, must) in needs.chain(node.uses.iter().map(|used| (used, false))) {
            followers.get_mut(*before).into_iter().for_each(|followers| followers.push((place, must)));
        }
    }
    // How many of those that it needs and of those that it uses are still to come; `None` once it has its place.
    let mut left: Vec<Option<(usize, usize)>> =
        nodes.iter().map(|node| Some((node.needs.len(), node.uses.len()))).collect();
    let mut waves = vec![0; nodes.len()];
    let mut ready: Vec<usize> =
        left.iter().enumerate().filter(|(_, left)| **left == Some((0, 0))).map(|(place, _)| place).collect();
    for _ in 0..nodes.len() {
        let Some(next) = ready.pop().or_else(|| first_without_uses(nodes, &left)) else {
            return Err(left.iter().enumerate().filter(|(_, left)| left.is_some()).map(|(place, _)| place).collect());
        };
        left.get_mut(next).into_iter().for_each(|left| *left = None);
        let wave = waves.get(next).copied().unwrap_or(0);
        for (follower, must) in followers.get(next).into_iter().flatten() {
            let Some(Some(left)) = left.get_mut(*follower) else { continue };
            if *must {
                left.0 -= 1
            } else {
                left.1 -= 1
            }
            if *left == (0, 0) {
                ready.push(*follower);
            }
            waves.get_mut(*follower).into_iter().for_each(|at| *at = (*at).max(wave + 1));
        }
    }
    Ok(waves)
}

/// Who goes on without what is only used: one that was not asked for itself if there is one, then the first.
fn first_without_uses(nodes: &[Node], left: &[Option<(usize, usize)>]) -> Option<usize> {
    let could = left.iter().enumerate().filter(|(_, left)| left.is_some_and(|(needs, _)| needs == 0));
    could.map(|(place, _)| place).min_by_key(|place| nodes.get(*place).is_some_and(|node| node.asked))
}

/// A circle among plugins that all wait, edge by edge, from the first of them by id.
fn circle(stock: &Stock<'_>, nodes: &[Node], left: &BTreeSet<usize>) -> Refusal {
    let next = |place: &usize| nodes.get(*place)?.needs.iter().find(|needed| left.contains(needed)).copied();
    let mut path: Vec<usize> = Vec::new();
    let mut at = left.first().copied();
    while let Some(place) = at.filter(|place| !path.contains(place)) {
        path.push(place);
        at = next(&place);
    }
    let start = path.iter().position(|place| Some(*place) == at).unwrap_or(0);
    let mut members = path.split_off(start);
    let first = members.iter().enumerate().min_by_key(|(_, place)| **place).map_or(0, |(at, _)| at);
    members.rotate_left(first);
    let id = |place: &usize| Some(stock.shelf(nodes.get(*place)?.plugin)?.id.as_str());
    let names: Vec<&str> = members.iter().chain(members.first()).filter_map(id).collect();
    Refusal::circle(&names)
}
