//! The part of the kernel's face that is about lasting grants.

use std::sync::PoisonError;

use midplane_contract::{Code, Error, Permission, PluginId, Result};

use super::inner::registered;
use super::{Inner, Kernel};
use crate::catalog::{self, InstallStatus};
use crate::grants::{self, Rights};
use crate::plugin::Stay;
use crate::store::Change;

impl Kernel {
    /// Grants permissions, or denies those that begin with `!`, for good and in one step: they count at once, beside the
    /// policy's, and outlive the host. Returns those that were not there.
    ///
    /// # Errors
    /// `plugin_not_found` for a plugin that is neither registered nor installed; `storage`. Nothing has changed then.
    pub fn grant(&self, id: &PluginId, permissions: &[Permission]) -> Result<Vec<Permission>> {
        let mut added = Vec::new();
        self.inner.stores.state.change(&mut |change| {
            if !self.inner.is_here(change, id)? {
                return Err(unknown(&self.inner, id));
            }
            added = grants::add(change, id, permissions)?;
            Ok(())
        })?;
        self.inner.renew_grants(id);
        Ok(added)
    }

    /// Takes lasting grants back, at once and in one step.
    ///
    /// # Errors
    /// `key_not_found {permissions}` with those that are not there; `storage`. Nothing has changed then.
    pub fn revoke(&self, id: &PluginId, permissions: &[Permission]) -> Result<()> {
        self.inner.stores.state.change(&mut |change| {
            let mut absent = Vec::new();
            for permission in permissions {
                if !grants::has(change, id, permission)? {
                    absent.push(permission);
                }
            }
            if absent.is_empty() {
                grants::remove(change, id, permissions)
            } else {
                Err(not_granted(&self.inner, id, &absent))
            }
        })?;
        self.inner.renew_grants(id);
        Ok(())
    }

    /// Takes all lasting grants of a plugin back, and returns them. Having none is no error.
    ///
    /// # Errors
    /// `plugin_not_found` for a plugin that is neither registered nor installed and has none; `storage`.
    pub fn revoke_all(&self, id: &PluginId) -> Result<Vec<Permission>> {
        let mut removed = Vec::new();
        self.inner.stores.state.change(&mut |change| {
            removed = grants::of_in(change, id)?;
            if removed.is_empty() && !self.inner.is_here(change, id)? {
                return Err(unknown(&self.inner, id));
            }
            grants::remove(change, id, &removed)
        })?;
        self.inner.renew_grants(id);
        Ok(removed)
    }

    /// The lasting grants of a plugin.
    ///
    /// # Errors
    /// `storage`.
    pub fn grants(&self, id: &PluginId) -> Result<Vec<Permission>> {
        grants::of(self.inner.stores.state.as_ref(), id)
    }

    /// What a plugin asks for, and what it was granted.
    ///
    /// # Errors
    /// `plugin_not_found` for a plugin that is not registered and has no lasting grants; `storage`.
    pub fn rights(&self, id: &PluginId) -> Result<Rights> {
        let granted = self.grants(id)?;
        if granted.is_empty() {
            self.inner.plugin(id)?;
        }
        Ok(self.inner.rights(id, granted))
    }

    /// The same of every plugin that is registered or has lasting grants, by id.
    ///
    /// # Errors
    /// `storage`.
    pub fn all_rights(&self) -> Result<Vec<Rights>> {
        let mut granted = grants::all(self.inner.stores.state.as_ref())?;
        for plugin in self.inner.plugins() {
            granted.entry(plugin.id.clone()).or_default();
        }
        Ok(granted.into_iter().map(|(id, granted)| self.inner.rights(&id, granted)).collect())
    }
}

fn unknown(kernel: &Inner, id: &PluginId) -> Error {
    let plugins = kernel.plugins();
    let known = registered(plugins.iter().map(|plugin| &plugin.id));
    Error::new(Code::PluginNotFound, format!("there is no plugin `{id}`, registered or installed"))
        .remedy(format!("{known}; a plugin that is to come is granted things with `midplane install --grant`"))
        .plugin(id)
}

fn not_granted(kernel: &Inner, id: &PluginId, absent: &[&Permission]) -> Error {
    let listed = absent.iter().map(|permission| format!("`{permission}`")).collect::<Vec<_>>().join(", ");
    let policy = kernel.policy(id).grants;
    let elsewhere = absent.iter().any(|permission| policy.contains(permission));
    let remedy = match elsewhere {
        true => {
            format!("it stands in the settings or on the command line: take it out of plugins.{id}.permissions there")
        }
        false => format!("`midplane grants {id}` shows what was granted; write it as it stands there"),
    };
    Error::new(Code::KeyNotFound, format!("`{id}` was not granted {listed} for good"))
        .remedy(remedy)
        .plugin(id)
        .with("permissions", absent.iter().map(ToString::to_string).collect::<Vec<_>>())
}

impl Inner {
    /// Lets what is granted and declared now count at once.
    pub(crate) fn renew_grants(&self, id: &PluginId) {
        let _one_at_a_time = self.granting.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(plugin) = self.plugin(id) else { return };
        let declared = plugin.life().found.manifest.permissions.clone();
        let lasting = grants::of(self.stores.state.as_ref(), id);
        let granted = lasting.map(|lasting| self.policy(id).grants.into_iter().chain(lasting).collect());
        let granted = granted.unwrap_or_else(|error| {
            tracing::error!(plugin = %id, %error, "its lasting grants cannot be read: nothing is granted");
            Vec::new()
        });
        self.gate.set(id, declared, granted);
    }

    fn rights(&self, id: &PluginId, granted: Vec<Permission>) -> Rights {
        let declared = self.plugin(id).ok().map(|plugin| plugin.life().found.manifest.permissions.clone());
        Rights::of(id.clone(), declared.as_deref(), granted, self.policy(id).grants)
    }

    /// Whether there is a plugin of that id which stays: one that is registered, or installed.
    fn is_here(&self, change: &dyn Change, id: &PluginId) -> Result<bool> {
        let stays = self.plugin(id).is_ok_and(|plugin| plugin.life().stay != Stay::Leaving);
        let installed = catalog::read(change, id)?;
        Ok(stays || installed.is_some_and(|record| record.status != InstallStatus::Failed))
    }
}
