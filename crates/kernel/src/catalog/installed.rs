//! Records of what was installed. They outlive the host.

use std::path::PathBuf;

use jiff::Timestamp;
use midplane_contract::{Code, Error, PluginId, Result, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Catalog;
use super::rows::{bytes, parse, revise};
use crate::store::Change;

const INSTALLED: &str = "installed";

/// One installed plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    /// Its id.
    pub id: PluginId,
    /// The version that is installed, or being so.
    pub version: Version,
    /// Where it lies.
    pub path: PathBuf,
    /// The plugins that it needs.
    #[serde(default)]
    pub dependencies: Vec<PluginId>,
    /// What the installer wants to remember.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// When it was installed first.
    pub install_time: Timestamp,
    /// When its record was changed last.
    pub update_time: Timestamp,
    /// How far it is.
    pub status: InstallStatus,
}

/// How far an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstallStatus {
    /// It is there.
    Installed,
    /// It has begun.
    Pending,
    /// It came to nothing.
    Failed,
    /// Another version is taking its place.
    Updating,
}

impl Catalog {
    /// Writes a record. Of one that is there already, the time of the first installation stays; the time of the change
    /// is now.
    ///
    /// # Errors
    /// `storage`.
    pub fn record_installed(&self, record: &Installed) -> Result<()> {
        self.revise_installed(&record.id, |is| {
            let install_time = is.map_or(record.install_time, |is| is.install_time);
            Ok(Some(Installed { install_time, ..record.clone() }))
        })
    }

    /// Notes how far an installation is.
    ///
    /// # Errors
    /// `plugin_not_found` without a record; `storage`.
    pub fn set_install_status(&self, id: &PluginId, status: InstallStatus) -> Result<()> {
        self.revise_installed(id, |is| match is {
            Some(is) => Ok(Some(Installed { status, ..is })),
            None => Err(Error::new(Code::PluginNotFound, format!("`{id}` is not installed"))
                .remedy("install it first")
                .plugin(id)),
        })
    }

    /// Forgets a record; one that is not there is no error.
    ///
    /// # Errors
    /// `storage`.
    pub fn forget_installed(&self, id: &PluginId) -> Result<()> {
        self.stores.state.change(&mut |change| forget(change, id))
    }

    /// The record of one plugin, if there is one.
    ///
    /// # Errors
    /// `storage`, also where it is damaged.
    pub fn installed_as(&self, id: &PluginId) -> Result<Option<Installed>> {
        let row = self.stores.state.get(INSTALLED, id.as_str())?;
        row.map(|row| parse(INSTALLED, id.as_str(), &row)).transpose()
    }

    /// All records, by id. None of them in a data folder that is new.
    ///
    /// # Errors
    /// `storage`, also where a record is damaged.
    pub fn installed(&self) -> Result<Vec<Installed>> {
        let rows = self.stores.state.scan(INSTALLED, "")?;
        rows.iter().map(|(id, row)| parse(INSTALLED, id, row)).collect()
    }

    fn revise_installed(
        &self,
        id: &PluginId,
        change_it: impl Fn(Option<Installed>) -> Result<Option<Installed>>,
    ) -> Result<()> {
        self.stores.state.change(&mut |change| {
            revise(change, (INSTALLED, id.as_str()), |is| {
                let record = change_it(is)?;
                Ok(record.map(|record| Installed { update_time: Timestamp::now(), ..record }))
            })
        })
    }
}

/// The record of a plugin, in a change of more than that.
pub(crate) fn read(change: &dyn Change, id: &PluginId) -> Result<Option<Installed>> {
    change.get(INSTALLED, id.as_str())?.map(|row| parse(INSTALLED, id.as_str(), &row)).transpose()
}

/// Writes a record as it is, in a change of more than that; the time of the change is now.
pub(crate) fn write(change: &mut dyn Change, record: &Installed) -> Result<()> {
    let record = Installed { update_time: Timestamp::now(), ..record.clone() };
    change.put(INSTALLED, record.id.as_str(), &bytes(&record)?)
}

/// Forgets a record, in a change of more than that.
pub(crate) fn forget(change: &mut dyn Change, id: &PluginId) -> Result<()> {
    change.remove(INSTALLED, id.as_str())
}
