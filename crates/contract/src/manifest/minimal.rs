//! Manifests that say as little as possible.

use std::collections::BTreeMap;

use super::model::{Compatibility, Entry, Manifest, PluginType, ProcessSpec, Reload, RemoteSpec, Resources};
use crate::{Instances, Limits, PluginId, RuntimeKind, Version};

impl Manifest {
    /// A manifest that says who the plugin is and what to run, and nothing else: what a bare file gets.
    #[must_use]
    pub fn minimal(id: PluginId, version: Version, entry: Entry) -> Self {
        Self {
            name: id.to_string(),
            id,
            version,
            description: None,
            author: None,
            license: None,
            homepage: None,
            repository: None,
            plugin_type: PluginType::default(),
            entry,
            placement: None,
            instances: Instances::default(),
            limits: Limits::default(),
            actions: Vec::new(),
            file_types: Vec::new(),
            provides: Vec::new(),
            consumes: Vec::new(),
            dependencies: Vec::new(),
            permissions: Vec::new(),
            config_schema: None,
            config: serde_json::Map::new(),
            resources: Resources::default(),
            compatibility: Compatibility::default(),
            capabilities: Vec::new(),
            state: None,
            reload: Reload::default(),
            labels: BTreeMap::new(),
            tags: Vec::new(),
            package: None,
            metadata: serde_json::Map::new(),
        }
    }
}

impl Entry {
    /// Whether no code is named: the metadata of a package, which can be shown and not loaded. `runtime` then means
    /// nothing.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.main.is_empty()
    }
}

impl Default for Entry {
    /// Names no code.
    fn default() -> Self {
        Self {
            main: String::new(),
            runtime: RuntimeKind::Process,
            engine: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            workdir: None,
            process: ProcessSpec::default(),
            remote: RemoteSpec::default(),
        }
    }
}

impl Entry {
    /// An entry with a file and its runtime.
    #[must_use]
    pub fn new(main: impl Into<String>, runtime: RuntimeKind) -> Self {
        Self { main: main.into(), runtime, ..Self::default() }
    }
}
