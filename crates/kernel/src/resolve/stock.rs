//! What there is, numbered and sorted, with what each requirement takes of it. Looks at what the search comes to, and at
//! nothing else: of ten thousand plugins most versions are never asked about.

use std::cell::{Cell, OnceCell, RefCell};

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::settings::Strategy;
use midplane_contract::{Error, PluginId, Version, VersionRange, version};

use super::available::{Available, Edge, Item, Offered, Release, Standing, is_host};
use super::reason::Cause;
use super::request::{Request, Requirement};
use super::versions::Versions;
use crate::platform::Needs;

/// The number of what is asked for itself; plugins begin at 1.
pub(super) const ROOT: u32 = 0;

/// Everything there is, and what is wanted of it.
pub(super) struct Stock<'a> {
    pub(super) request: &'a Request<'a>,
    /// The roots, sorted, so that their order does not matter.
    pub(super) roots: Vec<&'a Requirement>,
    available: &'a Available,
    /// The number of a plugin by that of its id; [`ROOT`] where there is none.
    numbers: Vec<u32>,
    plugins: Vec<Shelf<'a>>,
    /// Whether any version that was looked at has a peer, and an optional dependency.
    pub(super) has_peers: Cell<bool>,
    pub(super) has_wishes: Cell<bool>,
}

/// The versions of one plugin.
pub(super) struct Shelf<'a> {
    pub(super) id: &'a PluginId,
    offered: &'a Offered,
    /// Of what is offered, so that nothing else is looked at for it.
    items: &'a [Item],
    has_unstable: bool,
    mixed: bool,
    refusals: OnceCell<Vec<Vec<Error>>>,
    usable: OnceCell<Versions>,
    /// What the ranges of dependencies, by their numbers, take of it. Few ranges are written for one plugin.
    wanted: RefCell<Vec<(u32, Wanted)>>,
}

/// A dependency that counts, in short.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// The plugin that it is on; [`ROOT`] where there is none.
    pub(super) number: u32,
    range: u32,
    pub(super) peer: bool,
    pub(super) optional: bool,
}

/// Where the whole text of a dependency stands, which is looked at only where it has to be told.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    release: &'a Release,
    at: usize,
}

impl<'a> Written<'a> {
    pub(super) fn dependency(self) -> Option<&'a Dependency> {
        self.release.dependencies.get(self.at)
    }
}

/// What one requirement on a plugin comes to.
#[derive(Clone)]
pub(super) enum Wanted {
    /// These versions of it will do; at least one.
    Versions(u32, Versions),
    /// None will.
    Nothing(Cause),
}

impl<'a> Stock<'a> {
    pub(super) fn new(available: &'a Available, request: &'a Request<'a>) -> Self {
        let mut roots: Vec<&Requirement> = request.roots.iter().collect();
        roots.sort_by_key(|root| (&root.id, root.range.as_str()));
        let mut numbers = vec![ROOT; available.names.len()];
        let mut plugins = Vec::with_capacity(available.plugins.len());
        for (number, (id, offered)) in (1..).zip(&available.plugins) {
            numbers.get_mut(offered.name as usize).into_iter().for_each(|known| *known = number);
            plugins.push(Shelf::new(id, offered));
        }
        Self { request, roots, available, numbers, plugins, has_peers: Cell::new(false), has_wishes: Cell::new(false) }
    }

    pub(super) fn number(&self, id: &PluginId) -> Option<u32> {
        let name = self.available.names.get(id)?;
        self.numbers.get(*name as usize).copied().filter(|number| *number != ROOT)
    }

    pub(super) fn shelf(&self, plugin: u32) -> Option<&Shelf<'a>> {
        self.plugins.get((plugin as usize).checked_sub(1)?)
    }

    pub(super) fn release(&self, plugin: u32, position: u32) -> Option<&'a Release> {
        self.shelf(plugin)?.release(position)
    }

    /// The dependencies of a version that count, with the numbers of the plugins that they are on.
    pub(super) fn links(&self, plugin: u32, position: u32) -> impl Iterator<Item = (Link, Written<'a>)> {
        let shelf = self.shelf(plugin);
        let item = shelf.and_then(|shelf| Some((shelf.item(position)?, shelf.release(position)?)));
        let edges = item.into_iter().flat_map(|(item, release)| {
            self.available.edges(item).iter().enumerate().map(move |(at, edge)| (edge, Written { release, at }))
        });
        edges.filter(|(edge, _)| edge.counts).map(|(edge, written)| (self.link(edge), written))
    }

    fn link(&self, edge: &Edge) -> Link {
        let Edge { name, range, peer, optional, .. } = *edge;
        self.has_peers.set(self.has_peers.get() || peer);
        self.has_wishes.set(self.has_wishes.get() || optional);
        Link { number: self.numbers.get(name as usize).copied().unwrap_or(ROOT), range, peer, optional }
    }

    /// What a dependency asks for.
    pub(super) fn wanted_by(&self, link: Link) -> Wanted {
        let Some(shelf) = self.shelf(link.number) else { return Wanted::Nothing(Cause::Missing) };
        if let Some((_, wanted)) = shelf.wanted.borrow().iter().find(|(range, _)| *range == link.range) {
            return wanted.clone();
        }
        let Some(range) = self.available.written.get(link.range as usize) else {
            return Wanted::Nothing(Cause::NoVersion);
        };
        let wanted = self.wanted_of(link.number, range);
        shelf.wanted.borrow_mut().push((link.range, wanted.clone()));
        wanted
    }

    /// What a range asks for.
    pub(super) fn wanted(&self, id: &PluginId, range: &VersionRange) -> Wanted {
        self.wanted_of(self.number(id).unwrap_or(ROOT), range)
    }

    /// What a range asks for of the plugin of a number.
    pub(super) fn wanted_of(&self, number: u32, range: &VersionRange) -> Wanted {
        let Some(shelf) = self.shelf(number) else { return Wanted::Nothing(Cause::Missing) };
        let exact = self.request.selection.exactly(range);
        let items = shelf.items();
        let takes = |item: &Item| self.takes(range, exact.as_ref(), &item.version, item.stable);
        let in_a_row = !shelf.has_unstable && exact.is_none() && range.is_one_stretch();
        let mut taken = Versions::none();
        if in_a_row && items.last().is_some_and(takes) {
            // Most ranges reach to the newest version: then only the first of the row is sought.
            let first = items.partition_point(|item| !takes(item));
            (first..items.len()).filter_map(|at| u32::try_from(at).ok()).for_each(|at| taken.insert(at));
        } else {
            let fitting = (0..).zip(items).filter(|(_, item)| takes(item));
            fitting.for_each(|(position, _)| taken.insert(position));
        }
        if taken.is_none() {
            return Wanted::Nothing(Cause::NoVersion);
        }
        if self.request.platform.is_some() {
            taken = taken.both(self.usable(shelf));
        }
        if taken.is_none() { Wanted::Nothing(Cause::Unusable) } else { Wanted::Versions(number, taken) }
    }

    /// Whether a range takes a version.
    pub(super) fn accepts(&self, range: &VersionRange, release: &Release) -> bool {
        let exact = self.request.selection.exactly(range);
        self.takes(range, exact.as_ref(), &release.version, release.stable)
    }

    fn takes(&self, range: &VersionRange, exact: Option<&Version>, version: &Version, stable: bool) -> bool {
        let selection = self.request.selection;
        // One that its author does not call stable counts as a pre-release.
        let welcome = stable || exact.is_some() || selection.allow_prerelease || names(range, version);
        selection.takes_as(range, exact, version) && welcome
    }

    /// The highest version that a range would take if pre-releases were welcome, and does not take as they are not.
    pub(super) fn unwelcome(&self, number: u32, range: &VersionRange) -> Option<&'a Version> {
        let would = |item: &&Item| {
            let welcome = range.matches_prerelease(&item.version);
            welcome && !self.takes(range, self.request.selection.exactly(range).as_ref(), &item.version, item.stable)
        };
        self.shelf(number)?.items().iter().rev().find(would).map(|item| &item.version)
    }

    /// The versions that can run where the plan is for.
    fn usable<'s>(&self, shelf: &'s Shelf<'a>) -> &'s Versions {
        shelf.usable.get_or_init(|| {
            let mut usable = Versions::none();
            for (position, refusals) in (0..).zip(self.refusals(shelf)) {
                if refusals.is_empty() {
                    usable.insert(position);
                }
            }
            usable
        })
    }

    /// Why each version cannot run where the plan is for; empty for those that can, as what is loaded does.
    pub(super) fn refusals<'s>(&self, shelf: &'s Shelf<'a>) -> &'s [Vec<Error>] {
        shelf.refusals.get_or_init(|| {
            let Some(platform) = self.request.platform else { return vec![Vec::new(); shelf.items().len()] };
            let refusals = |release: &Release| match release.standing {
                Standing::Loaded => Vec::new(),
                _ => platform.refusals(&Needs::of_release(release)),
            };
            shelf.releases().map(refusals).collect()
        })
    }

    /// The best of some versions of a plugin: see [`super::resolve`].
    pub(super) fn best(&self, plugin: u32, among: &Versions) -> Option<u32> {
        let Shelf { items, mixed, .. } = self.shelf(plugin)?;
        if !mixed {
            // Without a look at the versions themselves, which are seldom in the processor's caches.
            return among.positions(items.len()).next_back();
        }
        let keeps = self.request.selection.strategy != Strategy::Latest;
        let rank = |position: &u32| {
            let item = items.get(*position as usize)?;
            let standing = if keeps { item.standing } else { Standing::default() };
            Some((!item.deprecated, item.stable, standing, *position))
        };
        among.positions(items.len()).max_by_key(rank)
    }

    /// What a plugin's version, or the request itself, must have: ids and ranges.
    pub(super) fn demands(
        &self,
        plugin: u32,
        position: Option<u32>,
    ) -> impl Iterator<Item = (&'a PluginId, &'a VersionRange)> {
        let roots = if plugin == ROOT { self.roots.clone() } else { Vec::new() };
        let release = position.and_then(|position| self.release(plugin, position));
        let sought = |dependency: &&Dependency| {
            dependency.kind != DependencyKind::Dev && !dependency.optional && !is_host(&dependency.id)
        };
        let dependencies = release.map_or(&[] as &[Dependency], |release| &release.dependencies).iter();
        let needed = dependencies.filter(sought).map(|needed| (&needed.id, &needed.version));
        roots.into_iter().map(|root| (&root.id, &root.range)).chain(needed)
    }
}

impl<'a> Shelf<'a> {
    fn new(id: &'a PluginId, offered: &'a Offered) -> Self {
        let (refusals, usable) = (OnceCell::new(), OnceCell::new());
        let Offered { items, has_unstable, mixed, .. } = offered;
        let (has_unstable, mixed) = (*has_unstable, *mixed);
        Self { id, offered, items, has_unstable, mixed, refusals, usable, wanted: RefCell::default() }
    }

    /// Lowest first. A position in this list is a version's number.
    pub(super) fn items(&self) -> &'a [Item] {
        self.items
    }

    fn item(&self, position: u32) -> Option<&'a Item> {
        self.items().get(position as usize)
    }

    fn release(&self, position: u32) -> Option<&'a Release> {
        self.offered.releases.get(self.item(position)?.release as usize)
    }

    /// In the order of the items.
    pub(super) fn releases(&self) -> impl Iterator<Item = &'a Release> {
        let offered = self.offered;
        offered.items.iter().filter_map(|item| offered.releases.get(item.release as usize))
    }

    /// The versions of these positions.
    pub(super) fn versions(&self, set: &Versions) -> Vec<&'a Version> {
        let version = |position: u32| Some(&self.item(position)?.version);
        set.positions(self.items().len()).filter_map(version).collect()
    }
}

/// Whether a range means one version alone.
fn names(range: &VersionRange, version: &Version) -> bool {
    range
        .as_str()
        .strip_prefix('=')
        .is_some_and(|text| version::parse_version(text.trim()).is_ok_and(|it| it == *version))
}
