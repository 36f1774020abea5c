//! What an operator decided about plugins and wants to last: permissions, and the mark that keeps a plugin stopped.

mod rights;

use std::collections::BTreeMap;

use midplane_contract::{Permission, PluginId, Result};

use crate::store::{Change, Store};

pub use rights::{Asked, Rights, Standing};

const GRANTS: &str = "grants";
const DISABLED: &str = "disabled";

/// The lasting grants of a plugin, denials among them.
///
/// # Errors
/// `storage`.
pub(crate) fn of(store: &dyn Store, id: &PluginId) -> Result<Vec<Permission>> {
    Ok(permissions(&store.scan(GRANTS, &format!("{id}/"))?))
}

/// The same, in a change of more than that.
pub(crate) fn of_in(change: &dyn Change, id: &PluginId) -> Result<Vec<Permission>> {
    Ok(permissions(&change.scan(GRANTS, &format!("{id}/"))?))
}

fn permissions(rows: &[(String, Vec<u8>)]) -> Vec<Permission> {
    // Nothing but what was a permission is written; what a later host understands better grants nothing here.
    let texts = rows.iter().filter_map(|(row, _)| row.split_once('/').map(|(_, text)| text));
    texts.filter_map(|text| Permission::parse(text).ok()).collect()
}

/// The lasting grants of all plugins that have any.
///
/// # Errors
/// `storage`.
pub(crate) fn all(store: &dyn Store) -> Result<BTreeMap<PluginId, Vec<Permission>>> {
    let mut all: BTreeMap<PluginId, Vec<Permission>> = BTreeMap::new();
    for (row, _) in store.scan(GRANTS, "")? {
        let Some((id, text)) = row.split_once('/') else { continue };
        if let (Ok(id), Ok(permission)) = (PluginId::new(id), Permission::parse(text)) {
            all.entry(id).or_default().push(permission);
        }
    }
    Ok(all)
}

/// Whether a plugin has this one.
pub(crate) fn has(change: &dyn Change, id: &PluginId, permission: &Permission) -> Result<bool> {
    Ok(change.get(GRANTS, &row(id, permission))?.is_some())
}

/// Adds some, and returns those that were not there.
pub(crate) fn add(change: &mut dyn Change, id: &PluginId, permissions: &[Permission]) -> Result<Vec<Permission>> {
    let mut added = Vec::new();
    for permission in permissions {
        if !has(change, id, permission)? {
            change.put(GRANTS, &row(id, permission), b"")?;
            added.push(permission.clone());
        }
    }
    Ok(added)
}

/// Takes some away; says nothing of those that are not there.
pub(crate) fn remove(change: &mut dyn Change, id: &PluginId, permissions: &[Permission]) -> Result<()> {
    permissions.iter().try_for_each(|permission| change.remove(GRANTS, &row(id, permission)))
}

fn row(id: &PluginId, permission: &Permission) -> String {
    format!("{id}/{permission}")
}

/// Whether a plugin is to stay stopped.
pub(crate) fn is_disabled(store: &dyn Store, id: &PluginId) -> Result<bool> {
    Ok(store.get(DISABLED, id.as_str())?.is_some())
}

/// Notes that it is, or is no longer.
pub(crate) fn set_disabled(store: &dyn Store, id: &PluginId, disabled: bool) -> Result<()> {
    store.change(&mut |change| match disabled {
        true => change.put(DISABLED, id.as_str(), b""),
        false => change.remove(DISABLED, id.as_str()),
    })
}

/// Forgets all that was decided about a plugin, in a change of more than that.
pub(crate) fn forget(change: &mut dyn Change, id: &PluginId) -> Result<()> {
    for (row, _) in change.scan(GRANTS, &format!("{id}/"))? {
        change.remove(GRANTS, &row)?;
    }
    change.remove(DISABLED, id.as_str())
}
