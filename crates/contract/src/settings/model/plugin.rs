//! What is decided about one plugin.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Health, HostLimits, Remote, Restarting, section};
use crate::manifest::runtime_of_word;
use crate::{Permission, Placement, RuntimeKind, Trust};

section! {
    /// What is decided about one plugin.
    PluginSettings {
        /// Name for people.
        name: Option<String> = None,
        /// The runtime that it is expected to have, in any spelling that manifests know.
        r#type: Option<String> = None,
        /// Folder, manifest or file to register it by, as written.
        path: Option<String> = None,
        /// May be loaded at all.
        enabled: bool = true,
        /// Load and start it with the host.
        auto_start: bool = false,
        /// The highest is loaded and chosen first.
        priority: i32 = 0,
        /// How far it is trusted.
        trust: Trust = Trust::Normal,
        /// Where it runs; the manifest's word where absent.
        placement: Option<Placement> = None,
        /// What it is granted and denied.
        permissions: Vec<Permission> = Vec::new(),
        /// Its configuration, laid over the manifest's.
        config: Map<String, Value> = Map::new(),
        /// What it may use at most.
        limits: HostLimits = HostLimits::default(),
        /// Restarting it; what it does not say is as for all.
        restart: Restarting = Restarting::default(),
        /// Asking it how it is; what it does not say is as for all.
        health: Health = Health::default(),
        /// Connections to it; what it does not say is as for all.
        remote: Remote = Remote::default(),
    }
}

impl PluginSettings {
    /// The runtime that it is expected to have. `hot_reload` is no kind of code: it expects none.
    #[must_use]
    pub fn runtime(&self) -> Option<RuntimeKind> {
        self.r#type.as_deref().filter(|word| *word != "hot_reload").and_then(runtime_of_word)
    }
}
