//! The plugins that settings name: those in their folders, and those with a path.

use std::cmp::Reverse;
use std::path::PathBuf;

use midplane::settings::{expand_home, folders};
use midplane::{PluginId, discover};

use crate::exit::Outcome;
use crate::host::Host;
use crate::{notice, report};

/// Registers them, and returns the ids of those that are to be loaded, the highest priority first. Folders that are not
/// there are passed over; a plugin that cannot be used is said, and the others go on.
///
/// # Errors
/// A plugin of the settings that cannot be registered by its path.
pub(super) async fn register(host: &Host) -> Outcome<Vec<PluginId>> {
    let settings = host.settings();
    for path in settings.plugins.values().filter_map(|plugin| plugin.path.as_deref()) {
        host.register(&expand_home(path)).await?;
    }
    let there: Vec<PathBuf> = folders(settings).into_iter().filter(|folder| folder.is_dir()).collect();
    for found in discover::scan(&there) {
        let registered = match found {
            Ok(found) if host.kernel().status(&found.manifest.id).is_ok() => continue,
            Ok(found) => host.register(if found.bare { &found.main } else { &found.folder }).await.map(drop),
            Err((path, error)) => {
                notice::say(&format!("cannot be used: {}: {}", path.display(), report::line(&error)));
                continue;
            }
        };
        registered?;
    }
    let wanted = |id: &PluginId| match settings.plugins.get(id) {
        Some(plugin) => plugin.enabled && (plugin.auto_start || settings.load.auto),
        None => settings.load.auto,
    };
    let priority = |id: &PluginId| settings.plugins.get(id).map_or(0, |plugin| plugin.priority);
    let mut ids: Vec<PluginId> = host.kernel().statuses().into_iter().map(|status| status.id).filter(wanted).collect();
    ids.sort_by_key(|id| Reverse(priority(id)));
    Ok(ids)
}
