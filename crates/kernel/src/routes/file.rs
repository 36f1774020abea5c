//! Which plugin gets a file.

use std::cmp::Reverse;
use std::path::Path;

use midplane_contract::manifest::FileType;
use midplane_contract::{ActionName, Manifest, PluginId, State};
use serde::Serialize;

use super::rule::{Exactness, Target, What, fits};
use crate::kernel::Inner;
use crate::plugin::Plugin;
use crate::services;

/// One plugin that handles a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The plugin.
    pub plugin: PluginId,
    /// The interface for which it was chosen, where a rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The action that gets the file; `None` where the manifest leaves it open and the plugin has not exactly one.
    pub action: Option<String>,
    /// What decided: the highest wins.
    pub priority: i32,
    /// The actions that the manifest names.
    pub actions: Vec<String>,
}

/// How good a route is: the smallest is taken.
type Rank = (u8, Reverse<i32>, Reverse<Exactness>);

/// The routes of a file, best first, each plugin once.
pub(crate) fn of(kernel: &Inner, file: &Path, mime_type: Option<&str>) -> Vec<Route> {
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plugins = kernel.plugins();
    let mut found: Vec<(Rank, Route)> =
        plugins.iter().filter_map(|plugin| declared(kernel, plugin, &name, mime_type)).collect();
    for (_, rule) in kernel.rules.all() {
        let wanted = match &rule.what {
            What::File(pattern) => fits(&pattern.to_lowercase(), &name),
            What::Media(pattern) => mime_type.is_some_and(|mime_type| fits(pattern, mime_type)),
            What::Action(_) => false,
        };
        let (plugin, service, action) = match &rule.to {
            _ if !wanted => continue,
            Target::Plugin { plugin, action } => (Some(plugin.clone()), None, action),
            Target::Service { service, version, action } => {
                let best = services::providers(kernel, service, version).into_iter().find(|p| p.refused.is_none());
                (best.map(|best| best.plugin), Some(service.clone()), action)
            }
        };
        let Some(plugin) = plugin.and_then(|id| plugins.iter().find(|plugin| plugin.id == id)) else { continue };
        let rank = (standing(plugin), Reverse(rule.priority), Reverse(rule.what.exactness()));
        let action = action.as_ref().map(ActionName::as_str);
        let route = route(&plugin.life().found.manifest, action, rule.priority);
        found.push((rank, Route { service, ..route }));
    }
    found.sort_by(|a, b| (a.0, &a.1.plugin).cmp(&(b.0, &b.1.plugin)));
    let mut routes: Vec<Route> = Vec::new();
    for (_, route) in found {
        if routes.iter().all(|better| better.plugin != route.plugin) {
            routes.push(route);
        }
    }
    routes
}

/// What a plugin's own manifest says of a file.
fn declared(kernel: &Inner, plugin: &Plugin, name: &str, mime_type: Option<&str>) -> Option<(Rank, Route)> {
    let handles = |kind: &&FileType| {
        let extension = kind.extension.to_lowercase();
        (!extension.is_empty() && name.len() > extension.len() && name.ends_with(&extension))
            || (mime_type.is_some() && kind.mime_type.as_deref() == mime_type)
    };
    let own = kernel.priority(&plugin.id);
    let standing = standing(plugin);
    let life = plugin.life();
    let manifest = &life.found.manifest;
    // The longest extension is the most exact one: `.tar.gz` before `.gz`.
    let best = manifest.file_types.iter().filter(handles).max_by_key(|k| (k.priority, k.extension.len()))?;
    let priority = best.priority.saturating_add(own);
    let rank = (standing, Reverse(priority), Reverse(Exactness::of("*")));
    Some((rank, route(manifest, best.action.as_deref(), priority)))
}

fn route(manifest: &Manifest, action: Option<&str>, priority: i32) -> Route {
    let actions: Vec<String> = manifest.actions.iter().map(|spec| spec.name.to_string()).collect();
    let only = match actions.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let action = action.map(str::to_owned).or(only);
    Route { plugin: manifest.id.clone(), service: None, action, priority, actions }
}

/// Who runs comes first, who could be loaded next, who has failed or is disabled last.
pub(super) fn standing(plugin: &Plugin) -> u8 {
    let life = plugin.life();
    match life.state {
        _ if life.disabled => 2,
        State::Running | State::Updating => 0,
        State::Failed | State::Quarantined => 2,
        _ => 1,
    }
}
