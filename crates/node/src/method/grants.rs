//! What plugins are granted for good.

use midplane_contract::{Code, Error, Permission, PluginId, Result};
use midplane_kernel::{Kernel, Rights, Standing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::which::Which;
use super::with;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Granting {
    id: Which,
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoking {
    id: Which,
    #[serde(default)]
    permissions: Vec<Permission>,
    #[serde(default)]
    all: bool,
}

pub(super) fn grant(kernel: &Kernel, Granting { id, permissions }: Granting) -> Result<Value> {
    if permissions.is_empty() {
        return Err(nothing("granted", "name a permission at least"));
    }
    let id = id.id(kernel)?;
    let added = kernel.grant(&id, &permissions)?;
    Ok(with(json!(kernel.rights(&id)?), "added", json!(added)))
}

pub(super) fn revoke(kernel: &Kernel, Revoking { id, permissions, all }: Revoking) -> Result<Value> {
    let id = id.id(kernel)?;
    let removed = match (permissions.is_empty(), all) {
        (true, true) => kernel.revoke_all(&id)?,
        (false, false) => kernel.revoke(&id, &permissions).map(|()| permissions)?,
        _ => return Err(nothing("revoked", "name permissions, or say `all`")),
    };
    let left = match kernel.rights(&id) {
        // One that is not here and has nothing left is not known any longer.
        Err(error) if error.code() == Code::PluginNotFound => json!({ "id": id, "registered": false }),
        rights => json!(rights?),
    };
    Ok(with(left, "removed", json!(removed)))
}

pub(super) fn grants(kernel: &Kernel, id: Option<&PluginId>) -> Result<Value> {
    let plugins = match id {
        Some(id) => vec![kernel.rights(id)?],
        None => kernel.all_rights()?,
    };
    Ok(json!({ "plugins": plugins }))
}

/// What a plugin asks for and nobody granted, and what was granted to it that it does not ask for.
pub(super) fn open_questions(kernel: &Kernel, id: &PluginId) -> Result<(Vec<Permission>, Vec<Permission>)> {
    let Rights { asked, unasked, .. } = kernel.rights(id)?;
    let open = asked.into_iter().filter(|asked| asked.standing == Standing::NotGranted);
    Ok((open.map(|asked| asked.permission).collect(), unasked))
}

fn nothing(what: &str, remedy: &str) -> Error {
    Error::new(Code::InvalidInput, format!("it is not clear what is to be {what}")).remedy(remedy)
}
