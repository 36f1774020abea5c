//! The question as `pubgrub` is asked it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use midplane_contract::{Error, PluginId};
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, NoSolutionError, PackageResolutionStatistics, PubGrubError,
};

use super::available::Standing;
use super::reason::{Block, Cause, Reason};
use super::stock::{ROOT, Stock, Wanted};
use super::versions::Versions;

/// Which version of which plugin, by their numbers.
pub(super) type Chosen = BTreeMap<u32, u32>;

/// Why there is no answer, as `pubgrub` tells it.
pub(super) type Derivation<'s, 'a> = NoSolutionError<Question<'s, 'a>>;

/// One question: the stock, and what is different this time.
pub(super) struct Question<'s, 'a> {
    pub(super) stock: &'s Stock<'a>,
    /// Chosen before and not to be changed; their dependencies are met.
    pub(super) held: &'s Chosen,
    /// Only what is installed of these: nobody but peers asks for them.
    pub(super) installed_only: BTreeSet<u32>,
    /// What is asked for, where it is not the roots.
    pub(super) instead_of_roots: Option<(u32, Versions)>,
    /// A requirement that any version will do for: who asks, and for what.
    pub(super) relaxed: Option<(u32, u32)>,
}

/// Why a search ended without an answer.
pub(super) enum Failed<'s, 'a> {
    NoSolution(Derivation<'s, 'a>),
    Stopped(Error),
}

impl<'s, 'a> Question<'s, 'a> {
    pub(super) fn new(stock: &'s Stock<'a>, held: &'s Chosen) -> Self {
        Self { stock, held, installed_only: BTreeSet::new(), instead_of_roots: None, relaxed: None }
    }

    /// Searches.
    pub(super) fn ask(&self) -> Result<Chosen, Failed<'s, 'a>> {
        match pubgrub::resolve(self, ROOT, 0u32) {
            Ok(found) => Ok(found.into_iter().filter(|(plugin, _)| *plugin != ROOT).collect()),
            Err(PubGrubError::NoSolution(tree)) => Err(Failed::NoSolution(tree)),
            Err(
                PubGrubError::ErrorInShouldCancel(Stop(error))
                | PubGrubError::ErrorChoosingVersion { source: Stop(error), .. }
                | PubGrubError::ErrorRetrievingDependencies { source: Stop(error), .. },
            ) => Err(Failed::Stopped(error)),
        }
    }

    /// Narrows what a requirement takes by what is different this time.
    fn narrow(&self, asker: u32, peer: bool, plugin: u32, wanted: Versions) -> Result<Versions, Cause> {
        let mut wanted = wanted;
        if self.relaxed == Some((asker, plugin))
            && let Wanted::Versions(_, any) = self.any(plugin)
        {
            wanted = any;
        }
        if let Some(held) = self.held.get(&plugin) {
            let only = wanted.both(&Versions::only(*held));
            return if only.is_none() { Err(Cause::Held) } else { Ok(only) };
        }
        if peer && self.installed_only.contains(&plugin) {
            let installed = self.installed(plugin).both(&wanted);
            return if installed.is_none() { Err(Cause::NotInstalled) } else { Ok(installed) };
        }
        Ok(wanted)
    }

    fn any(&self, plugin: u32) -> Wanted {
        self.stock.wanted_of(plugin, &midplane_contract::VersionRange::any())
    }

    /// The versions of a plugin that are on this machine.
    pub(super) fn installed(&self, plugin: u32) -> Versions {
        let mut installed = Versions::none();
        let items = self.stock.shelf(plugin).map_or(&[] as &[_], |shelf| shelf.items());
        for (position, item) in (0..).zip(items) {
            if item.standing > Standing::Offered {
                installed.insert(position);
            }
        }
        installed
    }

    /// What the request itself asks for.
    fn of_the_request(&self) -> Needed {
        if let Some((plugin, wanted)) = &self.instead_of_roots {
            return Needed { constraints: vec![(*plugin, wanted.clone())], blocks: Vec::new() };
        }
        let mut needed = Needed::default();
        for root in &self.stock.roots {
            let wanted = self.stock.wanted(&root.id, &root.range);
            needed.add(self, (ROOT, false), wanted, &|| Some((root.id.clone(), root.range.to_string())));
        }
        needed
    }

    fn of_a_plugin(&self, plugin: u32, position: u32) -> Needed {
        let mut needed = Needed::default();
        if self.held.get(&plugin) == Some(&position) {
            return needed;
        }
        for (link, written) in self.stock.links(plugin, position).filter(|(link, _)| !link.optional) {
            let wanted = self.stock.wanted_by(link);
            let said = || written.dependency().map(|needed| (needed.id.clone(), needed.version.to_string()));
            needed.add(self, (plugin, link.peer), wanted, &said);
        }
        needed
    }
}

/// What one version needs, put together.
#[derive(Default)]
struct Needed {
    constraints: Vec<(u32, Versions)>,
    blocks: Vec<Block>,
}

/// What a requirement is, in words: the id and the range.
type Said<'s> = dyn Fn() -> Option<(PluginId, String)> + 's;

impl Needed {
    /// Adds what a plugin, or the request, asks for; beside itself where it is a peer.
    fn add(&mut self, question: &Question<'_, '_>, (asker, peer): (u32, bool), wanted: Wanted, said: &Said<'_>) {
        let narrowed = match wanted {
            Wanted::Nothing(cause) => match said().and_then(|(id, _)| question.stock.number(&id)) {
                Some(plugin) if question.relaxed == Some((asker, plugin)) => {
                    question.narrow(asker, peer, plugin, Versions::none()).map(|wanted| (plugin, wanted))
                }
                _ => Err(cause),
            },
            // A plugin that needs itself is a circle, which the order finds.
            Wanted::Versions(plugin, _) if plugin == asker => return,
            Wanted::Versions(plugin, wanted) => {
                question.narrow(asker, peer, plugin, wanted).map(|wanted| (plugin, wanted))
            }
        };
        match narrowed {
            Err(cause) => self.blocks.extend(said().map(|(id, range)| Block { id, range, cause })),
            Ok((plugin, wanted)) => match self.constraints.iter_mut().find(|(known, _)| *known == plugin) {
                Some((_, known)) => *known = known.both(&wanted),
                None => self.constraints.push((plugin, wanted)),
            },
        }
    }
}

/// An error that ends the search.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Stop(Error);

impl DependencyProvider for Question<'_, '_> {
    type P = u32;
    type V = u32;
    type VS = Versions;
    /// What was in the way most often comes first, then what there is least choice of, then the first by id.
    type Priority = (u32, Reverse<u32>, Reverse<u32>);
    type M = Reason;
    type Err = Stop;

    fn prioritize(&self, plugin: &u32, range: &Versions, counts: &PackageResolutionStatistics) -> Self::Priority {
        (counts.conflict_count(), Reverse(range.count()), Reverse(*plugin))
    }

    fn choose_version(&self, plugin: &u32, range: &Versions) -> Result<Option<u32>, Stop> {
        if *plugin == ROOT {
            return Ok(range.has(0).then_some(0));
        }
        Ok(self.stock.best(*plugin, range))
    }

    fn get_dependencies(&self, plugin: &u32, position: &u32) -> Result<Dependencies<u32, Versions, Reason>, Stop> {
        let mut needed = if *plugin == ROOT { self.of_the_request() } else { self.of_a_plugin(*plugin, *position) };
        if !needed.blocks.is_empty() {
            return Ok(Dependencies::Unavailable(Reason(needed.blocks)));
        }
        // In the order of the ids, whatever the order in the manifest.
        needed.constraints.sort_unstable_by_key(|(plugin, _)| *plugin);
        Ok(Dependencies::Available(needed.constraints.into_iter().collect::<DependencyConstraints<_, _>>()))
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        (self.stock.request.stop)().map_err(Stop)
    }
}
