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

/// How good a route is: the smallest is taken. What the operator says comes before what a plugin says of itself.
type Rank = (u8, Reverse<i32>, Reverse<Exactness>, bool);

/// The routes of a file, best first, each plugin once.
pub(crate) fn of(kernel: &Inner, file: &Path, mime_type: Option<&str>) -> Vec<Route> {
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let media = mime_type.map(media);
    let plugins = kernel.plugins();
    let mut found: Vec<(Rank, Route)> =
        plugins.iter().filter_map(|plugin| declared(kernel, plugin, &name, media.as_deref())).collect();
    for (_, rule) in kernel.rules.all() {
        let wanted = match &rule.what {
            What::File(pattern) => fits(&pattern.to_lowercase(), &name),
            What::Media(pattern) => media.as_deref().is_some_and(|media| fits(&pattern.to_lowercase(), media)),
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
        let rank = (standing(plugin), Reverse(rule.priority), Reverse(rule.what.exactness()), false);
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
fn declared(kernel: &Inner, plugin: &Plugin, name: &str, media: Option<&str>) -> Option<(Rank, Route)> {
    let handles = |kind: &FileType| {
        let extension = kind.extension.to_lowercase();
        let ends = !extension.is_empty() && name.len() > extension.len() && name.ends_with(&extension);
        let by_name = ends.then(|| Exactness::of(&format!("*{extension}")));
        let own = kind.mime_type.as_ref().map(|own| own.to_lowercase());
        let by_media = own.filter(|own| media.is_some_and(|media| fits(own, media))).map(|own| Exactness::of(&own));
        by_name.max(by_media)
    };
    let own = kernel.priority(&plugin.id);
    let standing = standing(plugin);
    let life = plugin.life();
    let manifest = &life.found.manifest;
    let handled = manifest.file_types.iter().filter_map(|kind| Some((kind.priority, handles(kind)?, kind)));
    // The longest extension is the most exact one: `.tar.gz` before `.gz`.
    let (priority, exactness, best) = handled.max_by_key(|(priority, exactness, _)| (*priority, *exactness))?;
    let priority = priority.saturating_add(own);
    let rank = (standing, Reverse(priority), Reverse(exactness), true);
    Some((rank, route(manifest, best.action.as_deref(), priority)))
}

/// A media type without its parameters; it means the same in any case of letters.
fn media(written: &str) -> String {
    written.split(';').next().unwrap_or_default().trim().to_lowercase()
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
