//! What there is to choose from.

use std::collections::BTreeMap;

use midplane_contract::manifest::{Compatibility, Dependency, Manifest, Resources};
use midplane_contract::{PluginId, RuntimeKind, Version};
use serde::Serialize;

/// Every plugin and version that could be used, in whatever order they were found.
#[derive(Debug, Clone, Default)]
pub struct Available {
    pub(super) plugins: BTreeMap<PluginId, Vec<Release>>,
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
        self.plugins.entry(id).or_default().push(release);
    }

    /// The versions of a plugin, as they were added.
    #[must_use]
    pub fn releases(&self, id: &PluginId) -> &[Release] {
        self.plugins.get(id).map_or(&[], Vec::as_slice)
    }

    /// The ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &PluginId> {
        self.plugins.keys()
    }
}
