//! Installing: registering, loading and noting for good, in one step that is undone as a whole. The commit point is the
//! record that says `installed`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use midplane_contract::{Code, Error, Permission, PluginId, Result, State};
use serde_json::{Map, json};

use super::dependencies::Brought;
use super::load::load_noting;
use super::{announce, dependents, refuse_loaded, remove_locked, start, stop, unload, unload_cascade};
use crate::catalog::{self, InstallStatus, Installed};
use crate::discover::Found;
use crate::grants;
use crate::kernel::Inner;
use crate::plugin::{Plugin, Source, Stay};

/// Under this name the record of an installation under way has what was granted with it.
const GRANTED: &str = "granted";

/// Installs what stands at a path. See [`crate::Kernel::install`]. Whoever has registered the id has it to install: of
/// two at once one wins.
pub(crate) async fn install(
    kernel: &Arc<Inner>,
    path: &Path,
    grants: &[Permission],
    given_up: &AtomicBool,
) -> Result<PluginId> {
    let path = absolute(path)?;
    let found = kernel.find(&path).await?;
    let record = record(&found, &path);
    let id = kernel.register(Source::Path(path), found, Stay::Coming).map_err(there_already)?;
    // As long as it is coming nobody else takes it away.
    let plugin = kernel.plugin(&id)?;
    let attempt = Attempt { kernel, plugin, record, grants, given_up, brought: Brought::new(kernel) };
    match attempt.carry_out().await {
        Ok(()) => Ok(id),
        Err((before, error)) => {
            attempt.undo(before, &error).await;
            Err(error)
        }
    }
}

/// Whoever installs has other words for what to do than whoever registers.
fn there_already(error: Error) -> Error {
    match error.code() {
        Code::AlreadyRegistered => error.remedy(
            "reload it to take what its folder has by now; one that is installed from elsewhere has to be uninstalled first",
        ),
        _ => error,
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::new(Code::PluginNotFound, format!("{} is no path", path.display()))
            .remedy("name a plugin's folder, its manifest, or a bare file")
            .caused_by(&error)
    })
}

/// The record of what was read.
pub(super) fn record(found: &Found, path: &Path) -> Installed {
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
    plugin: Arc<Plugin>,
    /// As it is to be in the end.
    record: Installed,
    /// What is granted with it.
    grants: &'a [Permission],
    given_up: &'a AtomicBool,
    brought: Brought,
}

/// An error, and the record to go back to: that of an earlier installation.
type Failed = (Option<Installed>, Error);

impl Attempt<'_> {
    async fn carry_out(&self) -> Result<(), Failed> {
        let before = self.begin().map_err(|error| (None, error))?;
        let done = self.go_on().await;
        done.map_err(|error| (before, error))?;
        self.plugin.life().stay = Stay::Here;
        let told = json!({ "version": self.record.version.to_string(), "path": self.record.path });
        announce(self.kernel, "plugin.installed", &self.plugin, told);
        Ok(())
    }

    /// Notes that it has begun, and grants what is granted with it. Of an earlier installation the record stays. A host that
    /// ends here leaves both to [`take_back`].
    fn begin(&self) -> Result<Option<Installed>> {
        let (catalog, id) = (&self.kernel.catalog, &self.record.id);
        let before = catalog.installed_as(id)?;
        let earlier =
            before.filter(|before| matches!(before.status, InstallStatus::Installed | InstallStatus::Updating));
        // The time of an installation that came to nothing is not the time of this one.
        let (status, is) = match &earlier {
            Some(earlier) => (InstallStatus::Updating, earlier),
            None => (InstallStatus::Pending, &self.record),
        };
        self.kernel.stores.state.change(&mut |change| {
            let added = grants::add(change, id, self.grants)?;
            let mut begun = Installed { status, ..is.clone() };
            begun.metadata.insert(GRANTED.to_owned(), json!(added));
            catalog::write(change, &begun)
        })?;
        self.kernel.renew_grants(id);
        Ok(earlier)
    }

    async fn go_on(&self) -> Result<()> {
        let is_disabled = {
            let life = self.plugin.life();
            life.disabled || life.barred
        };
        self.is_wanted()?;
        if !is_disabled {
            self.load().await?;
        }
        self.is_wanted()?;
        self.kernel.catalog.record_installed(&self.record)
    }

    /// Loads it, unless somebody else has who needs it.
    async fn load(&self) -> Result<()> {
        let (kernel, id) = (self.kernel, &self.record.id);
        match load_noting(kernel, id, true, &self.brought).await {
            Err(error) if error.code() == Code::AlreadyLoaded && self.plugin.state() != State::Running => {
                start(kernel, id).await
            }
            Err(error) if error.code() != Code::AlreadyLoaded => Err(error),
            _ => Ok(()),
        }
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
        // From here on nobody loads it.
        self.plugin.life().stay = Stay::Leaving;
        match unload_cascade(kernel, id).await {
            Err(error) if error.code() != Code::NotLoaded => {
                logged("an installation that failed is not unloaded", &error)
            }
            _ => {}
        }
        for (id, was) in self.brought.backwards() {
            put_back(kernel, &id, was).await;
        }
        let stays = match before {
            Some(before) => Installed { status: InstallStatus::Installed, ..before },
            None => failed(self.record.clone(), error),
        };
        if let Err(error) = take_back(kernel, &stays) {
            logged("the record of an installation that failed cannot be written", &error);
        }
        // Last of all: whoever comes after it finds nothing of this one, and this one touches nothing of theirs.
        self.unregister()
            .await
            .inspect_err(|error| logged("an installation that failed is still registered", error))
            .ok();
    }

    async fn unregister(&self) -> Result<()> {
        let _one_at_a_time = self.plugin.operations.lock().await;
        refuse_loaded(&self.plugin).inspect_err(|_| self.plugin.life().stay = Stay::Here)?;
        remove_locked(self.kernel, &self.plugin);
        Ok(())
    }
}

/// Takes back what was granted with an installation that came to nothing, and writes the record that stays, in one change.
pub(super) fn take_back(kernel: &Inner, stays: &Installed) -> Result<()> {
    let id = &stays.id;
    kernel.stores.state.change(&mut |change| {
        let begun = catalog::read(change, id)?;
        let granted = begun.and_then(|begun| serde_json::from_value(begun.metadata.get(GRANTED)?.clone()).ok());
        let granted: Vec<Permission> = granted.unwrap_or_default();
        grants::remove(change, id, &granted)?;
        let mut stays = stays.clone();
        stays.metadata.remove(GRANTED);
        catalog::write(change, &stays)
    })?;
    kernel.renew_grants(id);
    Ok(())
}

/// The record of an installation that came to nothing.
pub(super) fn failed(mut record: Installed, error: &Error) -> Installed {
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
