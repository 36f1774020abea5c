//! What an operator decided about plugins and wants to last: permissions, and the mark that keeps a plugin stopped.

use midplane_contract::{Permission, PluginId, Result};

use crate::store::{Change, Store};

const GRANTS: &str = "grants";
const DISABLED: &str = "disabled";

/// The lasting grants of a plugin, denials among them.
///
/// # Errors
/// `storage`.
pub(crate) fn of(store: &dyn Store, id: &PluginId) -> Result<Vec<Permission>> {
    let rows = store.scan(GRANTS, &format!("{id}/"))?;
    // Nothing but what was a permission is written; what a later host understands better grants nothing here.
    let texts = rows.iter().filter_map(|(row, _)| row.split_once('/').map(|(_, text)| text));
    Ok(texts.filter_map(|text| Permission::parse(text).ok()).collect())
}

/// Adds one.
pub(crate) fn add(store: &dyn Store, id: &PluginId, permission: &Permission) -> Result<()> {
    store.change(&mut |change| change.put(GRANTS, &format!("{id}/{permission}"), b""))
}

/// Takes one away; says nothing where there is none.
pub(crate) fn remove(store: &dyn Store, id: &PluginId, permission: &Permission) -> Result<()> {
    store.change(&mut |change| change.remove(GRANTS, &format!("{id}/{permission}")))
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
