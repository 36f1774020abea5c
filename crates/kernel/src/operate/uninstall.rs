//! Taking an installed plugin away.

use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result};

use super::{dependents, load, needs, remove_locked, unload, unload_cascade};
use crate::catalog::{self, InstallStatus, Installed};
use crate::grants;
use crate::kernel::Inner;
use crate::plugin::{Plugin, Stay};

/// What is done about the dependents of something that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependents {
    /// It does not go.
    Refuse,
    /// They are unloaded first.
    Unload,
}

/// Takes an installed plugin away. See [`crate::Kernel::uninstall`].
pub(crate) async fn uninstall(kernel: &Arc<Inner>, id: &PluginId, dependents: Dependents) -> Result<Vec<PluginId>> {
    let record = kernel.catalog.installed_as(id)?;
    let plugin = kernel.plugin(id);
    if record.is_none() {
        return Err(not_installed(id, plugin.is_ok()));
    }
    if dependents == Dependents::Refuse {
        refuse(kernel, id)?;
    }
    // From here on it is not loaded for the sake of something else, and nothing is granted to it.
    plugin.iter().try_for_each(|plugin| plugin.leave())?;
    let stays = || plugin.iter().for_each(|plugin| plugin.life().stay = Stay::Here);
    let mut gone = Vec::new();
    if plugin.is_ok() {
        gone = away(kernel, id, dependents).await.inspect_err(|_| stays())?;
    }
    let forgotten = kernel.stores.state.change(&mut |change| {
        if let (Err(_), Ok(other)) = (&plugin, kernel.plugin(id)) {
            // It was not here, and somebody installs it by now.
            return Err(already(&other));
        }
        grants::forget(change, id)?;
        catalog::forget(change, id)
    });
    if let Err(error) = forgotten {
        stays();
        for id in gone.iter().rev() {
            if let Err(error) = load(kernel, id, true).await {
                tracing::warn!(plugin = %id, %error, "it was unloaded for an uninstallation that failed, and stays so");
            }
        }
        return Err(error);
    }
    if let Ok(plugin) = plugin {
        let _one_at_a_time = plugin.operations.lock().await;
        remove_locked(kernel, &plugin);
    }
    Ok(gone)
}

/// Unloads what is to go; it may not be loaded.
async fn away(kernel: &Arc<Inner>, id: &PluginId, dependents: Dependents) -> Result<Vec<PluginId>> {
    let gone = match dependents {
        Dependents::Refuse => unload(kernel, id).await.map(|()| vec![id.clone()]),
        Dependents::Unload => unload_cascade(kernel, id).await,
    };
    gone.or_else(|error| if error.code() == Code::NotLoaded { Ok(Vec::new()) } else { Err(error) })
}

/// Refuses what others need that are loaded, or that the next host would load.
fn refuse(kernel: &Inner, id: &PluginId) -> Result<()> {
    let installed = kernel.catalog.installed()?;
    let in_effect = |record: &&Installed| record.status != InstallStatus::Failed && record.id != *id;
    // What is registered tells more: what is optional, and what its code says that it needs.
    let must = |record: &&Installed| match kernel.plugin(&record.id) {
        Ok(plugin) => needs(&plugin.life().found.manifest).any(|needed| needed.id == *id && !needed.optional),
        Err(_) => record.dependencies.contains(id),
    };
    let installed = installed.iter().filter(in_effect).filter(must).map(|record| record.id.clone()).collect();
    dependents::refuse_with(kernel, id, installed)
}

fn already(other: &Plugin) -> Error {
    let version = other.life().found.manifest.version.clone();
    Error::new(Code::AlreadyRegistered, format!("`{}` {version} has come meanwhile", other.id))
        .remedy("uninstall that, if it is meant")
        .plugin(&other.id)
        .with("version", version.to_string())
}

fn not_installed(id: &PluginId, is_here: bool) -> Error {
    let remedy = match is_here {
        true => "it is here because its host was told of it in another way; unload it, or take it away there",
        false => "`midplane catalog show` says what is known of a plugin",
    };
    Error::new(Code::PluginNotFound, format!("`{id}` is not installed")).remedy(remedy).plugin(id)
}
