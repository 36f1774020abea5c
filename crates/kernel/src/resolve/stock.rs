//! What there is, numbered and sorted, with what each requirement takes of it. Looks at what the search comes to, and at
//! nothing else: of ten thousand plugins most versions are never asked about.

use std::cell::OnceCell;

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{Error, PluginId, Version, VersionRange, version};
use pubgrub::Map;

use super::available::{Available, Release, Standing};
use super::reason::Cause;
use super::request::{Request, Requirement, Strategy};
use super::versions::Versions;
use crate::platform::Needs;

/// The number of what is asked for itself; plugins begin at 1.
pub(super) const ROOT: u32 = 0;

/// Everything there is, and what is wanted of it.
pub(super) struct Stock<'a> {
    pub(super) request: &'a Request<'a>,
    /// The roots, sorted, so that their order does not matter.
    pub(super) roots: Vec<&'a Requirement>,
    numbers: Map<&'a PluginId, u32>,
    plugins: Vec<Shelf<'a>>,
}

/// The versions of one plugin.
pub(super) struct Shelf<'a> {
    pub(super) id: &'a PluginId,
    /// Lowest first. A position in this list is a version's number.
    pub(super) releases: Vec<&'a Release>,
    refusals: OnceCell<Vec<Vec<Error>>>,
    usable: OnceCell<Versions>,
}

/// What one requirement on a plugin comes to.
pub(super) enum Wanted {
    /// These versions of it will do; at least one.
    Versions(u32, Versions),
    /// None will.
    Nothing(Cause),
    /// It is not for the search: the host, an optional or development dependency.
    NotSought,
}

impl<'a> Stock<'a> {
    pub(super) fn new(available: &'a Available, request: &'a Request<'a>) -> Self {
        let mut roots: Vec<&Requirement> = request.roots.iter().collect();
        roots.sort_by_key(|root| (&root.id, root.range.as_str()));
        let mut numbers = Map::default();
        let mut plugins = Vec::with_capacity(available.plugins.len());
        for (number, (id, releases)) in (1..).zip(&available.plugins) {
            numbers.insert(id, number);
            plugins.push(Shelf::new(id, releases));
        }
        Self { request, roots, numbers, plugins }
    }

    pub(super) fn number(&self, id: &PluginId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn shelf(&self, plugin: u32) -> Option<&Shelf<'a>> {
        self.plugins.get((plugin as usize).checked_sub(1)?)
    }

    pub(super) fn release(&self, plugin: u32, position: u32) -> Option<&'a Release> {
        self.shelf(plugin)?.releases.get(position as usize).copied()
    }

    /// What a dependency that must be met asks for.
    pub(super) fn required(&self, dependency: &Dependency) -> Wanted {
        match dependency.kind {
            DependencyKind::Dev => Wanted::NotSought,
            _ if dependency.optional || is_host(&dependency.id) => Wanted::NotSought,
            _ => self.wanted(&dependency.id, &dependency.version),
        }
    }

    /// What a range asks for.
    pub(super) fn wanted(&self, id: &PluginId, range: &VersionRange) -> Wanted {
        let Some(number) = self.number(id) else { return Wanted::Nothing(Cause::Missing) };
        let Some(shelf) = self.shelf(number) else { return Wanted::Nothing(Cause::Missing) };
        let mut taken = Versions::none();
        for (position, release) in (0..).zip(&shelf.releases) {
            if self.takes(range, release) {
                taken.insert(position);
            }
        }
        if taken.is_none() {
            return Wanted::Nothing(Cause::NoVersion);
        }
        let usable = taken.both(self.usable(shelf));
        if usable.is_none() { Wanted::Nothing(Cause::Unusable) } else { Wanted::Versions(number, usable) }
    }

    pub(super) fn takes(&self, range: &VersionRange, release: &Release) -> bool {
        let Release { version, stable, .. } = release;
        if self.request.strategy == Strategy::Exact
            && let Ok(exact) = version::parse_version(range.as_str())
        {
            return exact == *version;
        }
        if self.request.allow_prerelease {
            return range.matches_prerelease(version);
        }
        range.matches(version) && (*stable || names(range, version))
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
            let Some(platform) = self.request.platform else { return vec![Vec::new(); shelf.releases.len()] };
            shelf.releases.iter().map(|release| platform.refusals(&Needs::of_release(release))).collect()
        })
    }

    /// The best of some versions of a plugin: see [`super::resolve`].
    pub(super) fn best(&self, plugin: u32, among: &Versions) -> Option<u32> {
        let shelf = self.shelf(plugin)?;
        let keeps = self.request.strategy != Strategy::Latest;
        let rank = |position: &u32| {
            let release = shelf.releases.get(*position as usize)?;
            let standing = if keeps { release.standing } else { Standing::default() };
            Some((release.deprecated.is_none(), release.stable, standing, *position))
        };
        among.positions(shelf.releases.len()).max_by_key(rank)
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
    fn new(id: &'a PluginId, releases: &'a [Release]) -> Self {
        let mut sorted: Vec<&Release> = releases.iter().collect();
        // Of the same version the nearest is first, and stays.
        sorted.sort_by(|one, two| one.version.cmp(&two.version).then(two.standing.cmp(&one.standing)));
        sorted.dedup_by(|next, kept| next.version == kept.version);
        Self { id, releases: sorted, refusals: OnceCell::new(), usable: OnceCell::new() }
    }

    /// The versions of these positions.
    pub(super) fn versions(&self, set: &Versions) -> Vec<&'a Version> {
        let release = |position: u32| Some(&self.releases.get(position as usize)?.version);
        set.positions(self.releases.len()).filter_map(release).collect()
    }
}

/// Whether a range means one version alone.
fn names(range: &VersionRange, version: &Version) -> bool {
    range
        .as_str()
        .strip_prefix('=')
        .is_some_and(|text| version::parse_version(text.trim()).is_ok_and(|it| it == *version))
}

/// Whether a dependency is on the host.
pub(super) fn is_host(id: &PluginId) -> bool {
    id.as_str() == "core"
}
