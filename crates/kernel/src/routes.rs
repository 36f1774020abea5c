//! Which plugin gets a file. Pure.

use std::cmp::Reverse;
use std::path::Path;

use midplane_contract::manifest::FileType;
use midplane_contract::{Manifest, PluginId};
use serde::Serialize;

/// One plugin that handles a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The plugin.
    pub plugin: PluginId,
    /// The action that gets the file; `None` where the manifest leaves it open and the plugin has not exactly one.
    pub action: Option<String>,
    /// What decided: the highest wins.
    pub priority: i32,
    /// The actions that the manifest names.
    pub actions: Vec<String>,
}

/// The routes of a file, best first.
pub(crate) fn of(manifests: impl Iterator<Item = Manifest>, file: &Path, mime_type: Option<&str>) -> Vec<Route> {
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut routes: Vec<Route> = manifests
        .filter_map(|manifest| {
            let handles = |kind: &&FileType| {
                let extension = kind.extension.to_lowercase();
                (!extension.is_empty() && name.len() > extension.len() && name.ends_with(&extension))
                    || (mime_type.is_some() && kind.mime_type.as_deref() == mime_type)
            };
            // The longest extension is the most exact one: `.tar.gz` before `.gz`.
            let best = manifest.file_types.iter().filter(handles).max_by_key(|k| (k.priority, k.extension.len()))?;
            let actions: Vec<String> = manifest.actions.iter().map(|spec| spec.name.to_string()).collect();
            let only = match actions.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            };
            Some(Route {
                plugin: manifest.id.clone(),
                action: best.action.clone().or(only),
                priority: best.priority,
                actions,
            })
        })
        .collect();
    routes.sort_by(|a, b| (Reverse(a.priority), &a.plugin).cmp(&(Reverse(b.priority), &b.plugin)));
    routes
}
