//! What is installed, in the next host: half-done installations are settled, the others registered; and records that
//! follow what their paths hold.

use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result};

use super::install::{failed, record, take_back};
use crate::catalog::{InstallStatus, Installed};
use crate::discover::Found;
use crate::kernel::{Inner, Reinstated};
use crate::plugin::{Source, Stay};

/// Settles what was left half-way. See [`crate::Kernel::settle_installed`].
pub(crate) fn settle(kernel: &Inner) -> Result<Vec<Installed>> {
    let is_half = |record: &Installed| matches!(record.status, InstallStatus::Pending | InstallStatus::Updating);
    let half: Vec<Installed> = kernel.catalog.installed()?.into_iter().filter(is_half).collect();
    for record in &half {
        let settled = match record.status {
            InstallStatus::Updating => Installed { status: InstallStatus::Installed, ..record.clone() },
            _ => failed(record.clone(), &ended(record)),
        };
        take_back(kernel, &settled)?;
        tracing::warn!(plugin = %record.id, path = %record.path.display(), "its installation was left half-way");
    }
    Ok(half)
}

fn ended(record: &Installed) -> Error {
    Error::new(Code::Cancelled, "the host ended while it was installed").remedy("install it again").plugin(&record.id)
}

/// Registers what is installed. See [`crate::Kernel::reinstate`].
pub(crate) async fn reinstate(kernel: &Arc<Inner>) -> Result<Vec<Reinstated>> {
    let mut all = Vec::new();
    for record in kernel.catalog.installed()? {
        if matches!(record.status, InstallStatus::Pending | InstallStatus::Failed) {
            continue;
        }
        let outcome = if kernel.plugin(&record.id).is_ok() { Ok(()) } else { register(kernel, &record).await };
        all.push(Reinstated { record, outcome });
    }
    Ok(all)
}

async fn register(kernel: &Arc<Inner>, was: &Installed) -> Result<()> {
    let found = kernel.find(&was.path).await?;
    if found.manifest.id != was.id {
        let message = format!("{} now holds `{}`, not `{}`", was.path.display(), found.manifest.id, was.id);
        return Err(Error::new(Code::ManifestInvalid, message)
            .remedy("put it back, or uninstall it and install what is there now")
            .plugin(&was.id));
    }
    kernel.register(Source::Path(was.path.clone()), found.clone(), Stay::Here)?;
    renew(kernel, was, &found)
}

/// Lets the record of an installed plugin follow what was read of it. A failure is logged: the next host follows.
pub(super) fn follow(kernel: &Inner, id: &PluginId) {
    let Ok(plugin) = kernel.plugin(id) else { return };
    let found = plugin.life().found.clone();
    // One of that id may be here from another path.
    let is_its = |was: &Installed| matches!(&plugin.life().source, Source::Path(path) if *path == was.path);
    let was = kernel.catalog.installed_as(id).map(|was| was.filter(is_its));
    let renewed = was.and_then(|was| was.map_or(Ok(()), |was| renew(kernel, &was, &found)));
    if let Err(error) = renewed {
        tracing::warn!(plugin = %id, %error, "the record of what is installed is not up to date");
    }
}

fn renew(kernel: &Inner, was: &Installed, found: &Found) -> Result<()> {
    let is = record(found, &was.path);
    if (&is.version, &is.dependencies) == (&was.version, &was.dependencies) || was.status != InstallStatus::Installed {
        return Ok(());
    }
    kernel.catalog.record_installed(&Installed { metadata: was.metadata.clone(), ..is })
}
