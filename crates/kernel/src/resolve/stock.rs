//! What there is, numbered and sorted, with what each requirement takes of it. Looks at what the search comes to, and at
//! nothing else: of ten thousand plugins most versions are never asked about.

use std::cell::{Cell, OnceCell, RefCell};

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::settings::Strategy;
use midplane_contract::{Error, PluginId, Version, VersionRange, version};

use super::available::{Available, Edge, Offered, Release, Standing, is_host};
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

/// The versions of one plugin. Sorted when somebody first looks.
pub(super) struct Shelf<'a> {
    pub(super) id: &'a PluginId,
    offered: &'a Offered,
    items: OnceCell<Vec<Item<'a>>>,
    refusals: OnceCell<Vec<Vec<Error>>>,
    usable: OnceCell<Versions>,
    /// What the ranges of dependencies, by their numbers, take of it. Few ranges are written for one plugin.
    wanted: RefCell<Vec<(u32, Wanted)>>,
}

/// One version. What every comparison looks at lies side by side: a release is several cache lines away from the next.
pub(super) struct Item<'a> {
    pub(super) version: Version,
    stable: bool,
    deprecated: bool,
    pub(super) standing: Standing,
    pub(super) release: &'a Release,
    edges: &'a [Edge],
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
        Some(self.shelf(plugin)?.items().get(position as usize)?.release)
    }

    /// The dependencies of a version that count, with the numbers of the plugins that they are on.
    pub(super) fn links(&self, plugin: u32, position: u32) -> impl Iterator<Item = (Link, &'a Dependency)> {
        let item = self.shelf(plugin).and_then(|shelf| shelf.items().get(position as usize));
        let edges = item.into_iter().flat_map(|item| item.edges.iter().zip(&item.release.dependencies));
        edges.filter(|(edge, _)| edge.counts).map(|(edge, needed)| (self.link(edge), needed))
    }

    fn link(&self, edge: &Edge) -> Link {
        let Edge { name, range, peer, optional, .. } = *edge;
        self.has_peers.set(self.has_peers.get() || peer);
        self.has_wishes.set(self.has_wishes.get() || optional);
        Link { number: self.numbers.get(name as usize).copied().unwrap_or(ROOT), range, peer, optional }
    }

    /// What a dependency asks for.
    pub(super) fn wanted_by(&self, link: Link, needed: &Dependency) -> Wanted {
        let Some(shelf) = self.shelf(link.number) else { return Wanted::Nothing(Cause::Missing) };
        if let Some((_, wanted)) = shelf.wanted.borrow().iter().find(|(range, _)| *range == link.range) {
            return wanted.clone();
        }
        let wanted = self.wanted_of(link.number, &needed.version);
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
        let mut taken = Versions::none();
        for (position, item) in (0..).zip(shelf.items()) {
            if self.takes(range, exact.as_ref(), &item.version, item.stable) {
                taken.insert(position);
            }
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

    /// Why each version cannot run where the plan is for; empty for those that can.
    pub(super) fn refusals<'s>(&self, shelf: &'s Shelf<'a>) -> &'s [Vec<Error>] {
        shelf.refusals.get_or_init(|| {
            let Some(platform) = self.request.platform else { return vec![Vec::new(); shelf.items().len()] };
            shelf.items().iter().map(|item| platform.refusals(&Needs::of_release(item.release))).collect()
        })
    }

    /// The best of some versions of a plugin: see [`super::resolve`].
    pub(super) fn best(&self, plugin: u32, among: &Versions) -> Option<u32> {
        let items = self.shelf(plugin)?.items();
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
        let (items, refusals, usable) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { id, offered, items, refusals, usable, wanted: RefCell::default() }
    }

    /// Lowest first. A position in this list is a version's number.
    pub(super) fn items(&self) -> &[Item<'a>] {
        self.items.get_or_init(|| {
            let offered = self.offered.releases.iter().zip(&self.offered.edges);
            let mut items: Vec<Item<'a>> = offered.map(|(release, edges)| Item::new(release, edges)).collect();
            // Of the same version the nearest is first, and stays.
            items.sort_by(|one, two| one.version.cmp(&two.version).then(two.standing.cmp(&one.standing)));
            items.dedup_by(|next, kept| next.version == kept.version);
            items
        })
    }

    /// The versions of these positions.
    pub(super) fn versions(&self, set: &Versions) -> Vec<&'a Version> {
        let version = |position: u32| Some(&self.items().get(position as usize)?.release.version);
        set.positions(self.items().len()).filter_map(version).collect()
    }
}

impl<'a> Item<'a> {
    fn new(release: &'a Release, edges: &'a [Edge]) -> Self {
        Self {
            version: release.version.clone(),
            stable: release.stable,
            deprecated: release.deprecated.is_some(),
            standing: release.standing,
            release,
            edges,
        }
    }
}

/// Whether a range means one version alone.
fn names(range: &VersionRange, version: &Version) -> bool {
    range
        .as_str()
        .strip_prefix('=')
        .is_some_and(|text| version::parse_version(text.trim()).is_ok_and(|it| it == *version))
}
