//! Installing: registering, loading and noting for good, in one step that is undone as a whole. The commit point is the
//! record that says `installed`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use midplane_contract::{Code, Error, PluginId, Result, State};
use serde_json::{Map, json};

use super::dependencies::Brought;
use super::{announce, dependents, load, load_noting, stop, unload, unload_cascade, unregister};
use crate::catalog::{self, InstallStatus, Installed};
use crate::discover::Found;
use crate::grants;
use crate::kernel::{Inner, Reinstated};
use crate::plugin::Source;

/// What is done about the dependents of something that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependents {
    /// It does not go.
    Refuse,
    /// They are unloaded first.
    Unload,
}

/// Installs what stands at a path. See [`crate::Kernel::install`]. Whoever has registered the id has it to install: of
/// two at once one wins.
pub(crate) async fn install(kernel: &Arc<Inner>, path: &Path, given_up: &AtomicBool) -> Result<PluginId> {
    let path = absolute(path)?;
    let found = kernel.find(&path).await?;
    let record = record(&found, &path);
    let id = kernel.register(Source::Path(path), found)?;
    let attempt = Attempt { kernel, record, given_up, brought: Brought::default() };
    match attempt.carry_out().await {
        Ok(()) => Ok(id),
        Err((before, error)) => {
            attempt.undo(before, &error).await;
            Err(error)
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::new(Code::PluginNotFound, format!("{} is no path", path.display()))
            .remedy("name a plugin's folder, its manifest, or a bare file")
            .caused_by(&error)
    })
}

fn record(found: &Found, path: &Path) -> Installed {
    let now = Timestamp::now();
    Installed {
        id: found.manifest.id.clone(),
        version: found.manifest.version.clone(),
        path: path.to_path_buf(),
        dependencies: found.manifest.dependencies.iter().map(|needed| needed.id.clone()).collect(),
        metadata: Map::new(),
        install_time: now,
        update_time: now,
        status: InstallStatus::Installed,
    }
}

/// One installation under way.
struct Attempt<'a> {
    kernel: &'a Arc<Inner>,
    /// As it is to be in the end.
    record: Installed,
    given_up: &'a AtomicBool,
    brought: Brought,
}

/// An error, and the record to go back to: that of an earlier installation.
type Failed = (Option<Installed>, Error);

impl Attempt<'_> {
    async fn carry_out(&self) -> Result<(), Failed> {
        let (kernel, id) = (self.kernel, &self.record.id);
        let before = self.begin().map_err(|error| (None, error))?;
        let done = self.go_on().await;
        done.map_err(|error| (before, error))?;
        if let Ok(plugin) = kernel.plugin(id) {
            announce(
                kernel,
                "plugin.installed",
                &plugin,
                json!({
                    "version": self.record.version.to_string(), "path": self.record.path,
                }),
            );
        }
        Ok(())
    }

    /// Notes that it has begun. Of an earlier installation the record stays, and is what a host that ends here leaves.
    fn begin(&self) -> Result<Option<Installed>> {
        let (catalog, id) = (&self.kernel.catalog, &self.record.id);
        let before = catalog.installed_as(id)?;
        let earlier =
            before.filter(|before| matches!(before.status, InstallStatus::Installed | InstallStatus::Updating));
        match &earlier {
            Some(_) => catalog.set_install_status(id, InstallStatus::Updating)?,
            None => {
                // The time of an installation that came to nothing is not the time of this one.
                catalog.forget_installed(id)?;
                catalog.record_installed(&Installed { status: InstallStatus::Pending, ..self.record.clone() })?;
            }
        }
        Ok(earlier)
    }

    async fn go_on(&self) -> Result<()> {
        let (kernel, id) = (self.kernel, &self.record.id);
        let plugin = kernel.plugin(id)?;
        let is_disabled = {
            let life = plugin.life();
            life.disabled || life.barred
        };
        self.is_wanted()?;
        if !is_disabled {
            load_noting(kernel, id, true, &self.brought).await?;
        }
        self.is_wanted()?;
        kernel.catalog.record_installed(&self.record)
    }

    fn is_wanted(&self) -> Result<()> {
        if !self.given_up.load(Ordering::SeqCst) {
            return Ok(());
        }
        let id = &self.record.id;
        Err(Error::new(Code::Cancelled, format!("the installation of `{id}` was given up, and undone")).plugin(id))
    }

    /// Everything as it was. What stands in the way is logged: the first error is the one to tell.
    async fn undo(&self, before: Option<Installed>, error: &Error) {
        let (kernel, id) = (self.kernel, &self.record.id);
        let logged = |what: &str, error: &Error| tracing::warn!(plugin = %id, %error, "{what}");
        match unload_cascade(kernel, id).await {
            Err(error) if error.code() != Code::NotLoaded => {
                logged("an installation that failed is not unloaded", &error)
            }
            _ => {}
        }
        if let Err(error) = unregister(kernel, id).await {
            logged("an installation that failed is still registered", &error);
        }
        for (id, was) in self.brought.backwards() {
            put_back(kernel, &id, was).await;
        }
        let noted = match before {
            Some(before) => kernel.catalog.record_installed(&Installed { status: InstallStatus::Installed, ..before }),
            None => kernel.catalog.record_installed(&failed(self.record.clone(), error)),
        };
        if let Err(error) = noted {
            logged("the record of an installation that failed cannot be written", &error);
        }
    }
}

fn failed(mut record: Installed, error: &Error) -> Installed {
    record.status = InstallStatus::Failed;
    record.metadata.insert("error".to_owned(), error.to_json());
    record
}

/// Brings what was loaded or started for something else back to where it was, unless others need it by now.
async fn put_back(kernel: &Arc<Inner>, id: &PluginId, was: State) {
    let Ok(plugin) = kernel.plugin(id) else { return };
    if dependents::refuse(kernel, id).is_err() {
        return;
    }
    let done = match (was, plugin.state()) {
        (State::Loaded | State::Stopped, State::Running) => stop(kernel, id).await,
        (State::Failed, State::Failed) => Ok(()),
        (State::Registered | State::Failed, _) => unload(kernel, id).await,
        _ => Ok(()),
    };
    if let Err(error) = done {
        tracing::warn!(plugin = %id, %error, "what was loaded for an installation that failed stays");
    }
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
    let mut gone = Vec::new();
    if plugin.is_ok() {
        gone = away(kernel, id, dependents).await?;
    }
    let forgotten = kernel.stores.state.change(&mut |change| {
        grants::forget(change, id)?;
        catalog::forget(change, id)
    });
    if let Err(error) = forgotten {
        for id in gone.iter().rev() {
            if let Err(error) = load(kernel, id, true).await {
                tracing::warn!(plugin = %id, %error, "it was unloaded for an uninstallation that failed, and stays so");
            }
        }
        return Err(error);
    }
    if plugin.is_ok() {
        unregister(kernel, id).await?;
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
    let needs = installed.iter().filter(in_effect).filter(|record| record.dependencies.contains(id));
    let must = |other: &PluginId| {
        kernel.plugin(other).map_or(true, |plugin| {
            let life = plugin.life();
            super::needs(&life.found.manifest).any(|needed| needed.id == *id && !needed.optional)
        })
    };
    let installed: Vec<PluginId> = needs.map(|record| record.id.clone()).filter(must).collect();
    dependents::refuse_with(kernel, id, installed)
}

fn not_installed(id: &PluginId, is_here: bool) -> Error {
    let remedy = match is_here {
        true => "it is here because its host was told of it in another way; unload it, or take it away there",
        false => "`midplane catalog show` says what is known of a plugin",
    };
    Error::new(Code::PluginNotFound, format!("`{id}` is not installed")).remedy(remedy).plugin(id)
}

/// Settles what was left half-way. See [`crate::Kernel::settle_installed`].
pub(crate) fn settle(kernel: &Inner) -> Result<Vec<Installed>> {
    let is_half = |record: &Installed| matches!(record.status, InstallStatus::Pending | InstallStatus::Updating);
    let half: Vec<Installed> = kernel.catalog.installed()?.into_iter().filter(is_half).collect();
    for record in &half {
        let settled = match record.status {
            InstallStatus::Updating => Installed { status: InstallStatus::Installed, ..record.clone() },
            _ => failed(record.clone(), &ended(record)),
        };
        kernel.catalog.record_installed(&settled)?;
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
    let is = record(&found, &was.path);
    kernel.register(Source::Path(was.path.clone()), found)?;
    if (&is.version, &is.dependencies) != (&was.version, &was.dependencies) && was.status == InstallStatus::Installed {
        kernel.catalog.record_installed(&Installed { metadata: was.metadata.clone(), ..is })?;
    }
    Ok(())
}
