//! What there is to choose from.

use std::collections::{BTreeMap, HashMap};

use midplane_contract::manifest::{Compatibility, Dependency, DependencyKind, Manifest, Resources};
use midplane_contract::{PluginId, RuntimeKind, Version, VersionRange};
use serde::Serialize;

/// Every plugin and version that could be used, in whatever order they were found.
#[derive(Debug, Clone, Default)]
pub struct Available {
    pub(super) plugins: BTreeMap<PluginId, Offered>,
    /// Every id that anything is called by or asks for, and every range, numbered as they come: their texts are looked at
    /// once, when a version is added, and not while versions are sought.
    pub(super) names: HashMap<PluginId, u32>,
    ranges: HashMap<String, u32>,
    /// Each range once, by its number: what is asked again and again stays in the processor's caches.
    pub(super) written: Vec<VersionRange>,
    /// What the versions need, one after the other.
    edges: Vec<Edge>,
}

/// The versions of one plugin.
#[derive(Debug, Clone, Default)]
pub(super) struct Offered {
    /// The number of its id.
    pub(super) name: u32,
    /// As they were added.
    pub(super) releases: Vec<Release>,
    /// Whether any of them is a pre-release, or treated as one.
    pub(super) has_unstable: bool,
    /// Whether they may differ in more than their numbers: else the highest of some is the best of them.
    pub(super) mixed: bool,
    /// Each version once, the lowest first. A position in this list is a version's number.
    pub(super) items: Vec<Item>,
}

/// One version. What every comparison looks at lies side by side: a release is several cache lines away from the next.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) version: Version,
    pub(super) stable: bool,
    pub(super) deprecated: bool,
    pub(super) standing: Standing,
    /// Which of the releases it is.
    pub(super) release: u32,
    /// Where what it needs begins among the edges; as many as it has dependencies, in their order.
    first_edge: u32,
    edges: u32,
}

/// A dependency in short.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// The number of the id that it is on.
    pub(super) name: u32,
    /// The number of its range.
    pub(super) range: u32,
    /// Neither on the host nor for development.
    pub(super) counts: bool,
    pub(super) peer: bool,
    pub(super) optional: bool,
}

/// One version of a plugin.
#[derive(Debug, Clone)]
pub struct Release {
    /// The version.
    pub version: Version,
    /// What it needs: other plugins, and the host as `core`.
    pub dependencies: Vec<Dependency>,
    /// Where it can run.
    pub compatibility: Compatibility,
    /// What the machine must have.
    pub resources: Resources,
    /// What executes it.
    pub runtime: RuntimeKind,
    /// Its author calls it stable. One that is not is treated as a pre-release, whatever its version says.
    pub stable: bool,
    /// Its author advises against it, and says why.
    pub deprecated: Option<String>,
    /// How near it is.
    pub standing: Standing,
}

/// How near a version is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A repository has it.
    #[default]
    Offered,
    /// It is on this machine.
    Installed,
    /// It is loaded.
    Loaded,
}

impl Release {
    /// A version that needs nothing and runs everywhere.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            dependencies: Vec::new(),
            compatibility: Compatibility::default(),
            resources: Resources::default(),
            runtime: RuntimeKind::Wasm,
            stable: true,
            deprecated: None,
            standing: Standing::default(),
        }
    }

    /// What a manifest says of its version.
    #[must_use]
    pub fn of(manifest: &Manifest, standing: Standing) -> Self {
        Self {
            version: manifest.version.clone(),
            dependencies: manifest.dependencies.clone(),
            compatibility: manifest.compatibility.clone(),
            resources: manifest.resources.clone(),
            runtime: manifest.entry.runtime,
            stable: true,
            deprecated: None,
            standing,
        }
    }
}

impl Available {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one version of a plugin. Of two entries of the same version the nearer one counts, else the first.
    pub fn add(&mut self, id: PluginId, release: Release) {
        let first_edge = counted(self.edges.len());
        for needed in &release.dependencies {
            let edge = self.edge(needed);
            self.edges.push(edge);
        }
        let name = number(&mut self.names, &id);
        let offered = self.plugins.entry(id).or_default();
        offered.name = name;
        offered.has_unstable |= !release.stable || !release.version.pre.is_empty();
        let item = Item {
            version: release.version.clone(),
            stable: release.stable,
            deprecated: release.deprecated.is_some(),
            standing: release.standing,
            release: counted(offered.releases.len()),
            first_edge,
            edges: counted(release.dependencies.len()),
        };
        offered.mixed |= item.deprecated || !item.stable;
        offered.mixed |= offered.items.first().is_some_and(|first| first.standing != item.standing);
        offered.releases.push(release);
        match offered.items.binary_search_by(|known| known.version.cmp(&item.version)) {
            Err(place) => offered.items.insert(place, item),
            Ok(place) => {
                let known = offered.items.get_mut(place).filter(|known| known.standing < item.standing);
                known.into_iter().for_each(|known| *known = item.clone());
            }
        }
    }

    fn edge(&mut self, needed: &Dependency) -> Edge {
        let range = needed.version.as_str();
        let known = self.ranges.get(range).copied();
        if known.is_none() {
            self.written.push(needed.version.clone());
        }
        Edge {
            name: number(&mut self.names, &needed.id),
            range: known.unwrap_or_else(|| number(&mut self.ranges, &range.to_owned())),
            counts: needed.kind != DependencyKind::Dev && !is_host(&needed.id),
            peer: needed.kind == DependencyKind::Peer,
            optional: needed.optional,
        }
    }

    /// What a version needs.
    pub(super) fn edges(&self, item: &Item) -> &[Edge] {
        let first = item.first_edge as usize;
        self.edges.get(first..first + item.edges as usize).unwrap_or_default()
    }

    /// The versions of a plugin, as they were added.
    #[must_use]
    pub fn releases(&self, id: &PluginId) -> &[Release] {
        self.plugins.get(id).map_or(&[], |offered| offered.releases.as_slice())
    }

    /// The ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &PluginId> {
        self.plugins.keys()
    }
}

/// The number of a text: the next one where it is new.
fn number<T: Clone + Eq + std::hash::Hash>(known: &mut HashMap<T, u32>, text: &T) -> u32 {
    if let Some(number) = known.get(text) {
        return *number;
    }
    let next = counted(known.len());
    known.insert(text.clone(), next);
    next
}

/// There are fewer than four thousand million of anything.
fn counted(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a dependency is on the host.
pub(super) fn is_host(id: &PluginId) -> bool {
    id.as_str() == "core"
}
