//! What is around the search itself: peers that must be there without being fetched, and optional dependencies.

use std::collections::{BTreeSet, VecDeque};

use midplane_contract::manifest::{Dependency, DependencyKind};

use super::available::Standing;
use super::order;
use super::solver::{Chosen, Failed, Question};
use super::stock::{ROOT, Stock, Wanted};
use super::why::{self, Refusal};

/// A version for everything that is needed, and for what is optional and can be had beside it.
pub(super) fn solve(stock: &Stock<'_>) -> Result<Chosen, Refusal> {
    let chosen = required(stock)?;
    optional(stock, chosen)
}

/// What must be there. Where only peers ask for a plugin, it is asked for again among what is installed.
fn required(stock: &Stock<'_>) -> Result<Chosen, Refusal> {
    let nothing = Chosen::new();
    let mut question = Question::new(stock, &nothing);
    loop {
        let chosen = question.ask().map_err(|failed| why::explain(&question, failed))?;
        let roots = stock.roots.iter().filter_map(|root| stock.number(&root.id)).collect();
        let fetched = only_for_peers(stock, &chosen, roots);
        if fetched.is_subset(&question.installed_only) {
            return Ok(chosen);
        }
        question.installed_only.extend(fetched);
    }
}

/// What was chosen though it is not installed, and though nobody but peers asks for it beside what is asked for anyway.
fn only_for_peers(stock: &Stock<'_>, chosen: &Chosen, mut asked: BTreeSet<u32>) -> BTreeSet<u32> {
    if !stock.has_peers.get() {
        return BTreeSet::new();
    }
    let links = |plugin: u32| chosen.get(&plugin).into_iter().flat_map(move |at| stock.links(plugin, *at));
    let mut left: Vec<u32> = asked.iter().copied().collect();
    while let Some(plugin) = left.pop() {
        for (link, _) in links(plugin) {
            if !link.peer && !link.optional && link.number != ROOT && asked.insert(link.number) {
                left.push(link.number);
            }
        }
    }
    let installed = |plugin: u32, position: u32| {
        stock.release(plugin, position).is_some_and(|release| release.standing > Standing::Offered)
    };
    let fetched = |(plugin, position): (&u32, &u32)| {
        (!asked.contains(plugin) && !installed(*plugin, *position)).then_some(*plugin)
    };
    chosen.iter().filter_map(fetched).collect()
}

/// Adds optional dependencies one by one, those of what comes first by id first, as long as nothing that was chosen has
/// to change for them.
fn optional(stock: &Stock<'_>, mut chosen: Chosen) -> Result<Chosen, Refusal> {
    if !stock.has_wishes.get() {
        return Ok(chosen);
    }
    let mut left: VecDeque<(u32, u32)> = chosen.iter().map(|(plugin, position)| (*plugin, *position)).collect();
    while let Some((plugin, position)) = left.pop_front() {
        let links = stock.links(plugin, position).filter(|(link, _)| link.optional);
        let mut wishes: Vec<&Dependency> = links.filter_map(|(_, wish)| wish.dependency()).collect();
        wishes.sort_by_key(|wish| &wish.id);
        for wish in wishes {
            let Wanted::Versions(number, wanted) = stock.wanted(&wish.id, &wish.version) else { continue };
            if chosen.contains_key(&number) {
                continue;
            }
            let mut question = Question::new(stock, &chosen);
            let wanted = match wish.kind {
                DependencyKind::Peer => question.installed(number).both(&wanted),
                _ => wanted,
            };
            if wanted.is_none() {
                continue;
            }
            question.instead_of_roots = Some((number, wanted));
            let added = match question.ask() {
                Ok(found) => addition(stock, &chosen, number, found),
                Err(Failed::NoSolution(_)) => continue,
                Err(Failed::Stopped(error)) => return Err(Refusal::stopped(error)),
            };
            left.extend(added.iter().map(|(plugin, position)| (*plugin, *position)));
            chosen.extend(added);
        }
    }
    Ok(chosen)
}

/// What an optional dependency brings, unless that would fetch something that only peers ask for, or is a circle: whatever
/// was chosen before needs nothing of it, so a circle is among what it brings.
fn addition(stock: &Stock<'_>, chosen: &Chosen, wish: u32, found: Chosen) -> Chosen {
    let fresh: Chosen = found.into_iter().filter(|(plugin, _)| !chosen.contains_key(plugin)).collect();
    let asked = chosen.keys().copied().chain([wish]).collect();
    let fits = only_for_peers(stock, &fresh, asked).is_empty() && order::plan(stock, &fresh).is_ok();
    if fits { fresh } else { Chosen::new() }
}
