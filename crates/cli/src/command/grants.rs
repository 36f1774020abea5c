//! `midplane grant`, `revoke` and `grants`: what plugins are granted for good, asked of the host that runs.

use midplane::Permission;
use midplane_node::Method;
use serde_json::{Value, json};

use super::{hosted, table};
use crate::args::{Grant, Grants, Revoke};
use crate::exit::{Exit, Outcome};
use crate::notice;
use crate::output::Output;

/// Grants, or denies.
pub(super) async fn grant(grant: Grant, output: Output) -> Outcome<Exit> {
    let Grant { id, permissions, data } = grant;
    let done = hosted::ask(&data, Method::Grant, json!({ "id": id, "permissions": permissions })).await?;
    let added = listed(&done, "added");
    hosted::mention_unasked(&done);
    mention_denied(&done, &permissions);
    hosted::show(output, done, |done| match (hosted::word(done, "id"), added.as_str()) {
        (id, "") => format!("{id} had that already"),
        (id, added) => format!("{id} has {added} for good"),
    })
}

/// Takes back.
pub(super) async fn revoke(revoke: Revoke, output: Output) -> Outcome<Exit> {
    let Revoke { id, permissions, all, data } = revoke;
    let params = json!({ "id": id, "permissions": permissions, "all": all });
    let done = hosted::ask(&data, Method::Revoke, params).await?;
    let removed = listed(&done, "removed");
    hosted::show(output, done, |done| match (hosted::word(done, "id"), removed.as_str()) {
        (id, "") => format!("{id} had nothing for good"),
        (id, removed) => format!("{id} has {removed} no longer"),
    })
}

/// Shows.
pub(super) async fn grants(grants: Grants, output: Output) -> Outcome<Exit> {
    let is_one = grants.id.is_some();
    let params = grants.id.map_or_else(|| json!({}), |id| json!({ "id": id }));
    let done = hosted::ask(&grants.data, Method::Grants, params).await?;
    let plugins = done.get("plugins").and_then(Value::as_array).into_iter().flatten();
    let sections: Vec<String> = plugins.filter_map(|plugin| section(plugin, is_one)).collect();
    let text = if sections.is_empty() { "nobody asks for anything".to_owned() } else { sections.join("\n") };
    hosted::show(output, done, |_| text.trim_end().to_owned())
}

/// Says what of it is denied all the same: a denial goes before every grant.
fn mention_denied(done: &Value, permissions: &[Permission]) {
    let asked = done.get("asked").and_then(Value::as_array).into_iter().flatten();
    let denied = asked.filter(|asked| asked.get("standing").and_then(Value::as_str) == Some("denied"));
    for permission in denied.filter_map(|asked| asked.get("permission")?.as_str()) {
        if permissions.iter().any(|granted| permission.starts_with(&granted.to_string())) {
            notice::say(&format!(
                "{permission} stays denied: a denial goes before every grant; `midplane grants` shows it"
            ));
        }
    }
}

/// One plugin with a line for each permission; `None` for one without any, where others are shown as well.
fn section(plugin: &Value, alone: bool) -> Option<String> {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let asked = plugin.get("asked").and_then(Value::as_array).into_iter().flatten();
    let asked = asked
        .map(|asked| ["  asks for".to_owned(), text(asked, "permission"), text(asked, "standing").replace('_', " ")]);
    let named = |name: &'static str, what: &'static str, why: &'static str| {
        hosted::texts(plugin.get(name)).map(move |one| [what.to_owned(), one.to_owned(), why.to_owned()])
    };
    let has = named("granted", "  has", "for good");
    let rows: Vec<[String; 3]> = asked.chain(has).chain(named("settings", "  has", "by the settings")).collect();
    let mut head = text(plugin, "id");
    if plugin.get("registered") == Some(&Value::Bool(false)) {
        head.push_str(" (not registered)");
    }
    match (rows.is_empty(), alone) {
        (true, false) => None,
        (true, true) => Some(format!("{head} asks for nothing and has nothing\n")),
        (false, _) => Some(format!("{head}\n{}", table::columns(&rows))),
    }
}

/// Permissions in one line.
fn listed(done: &Value, name: &str) -> String {
    hosted::texts(done.get(name)).collect::<Vec<_>>().join(", ")
}
