//! Lists whose items have to fit each other and the rest.

use std::collections::HashSet;

use crate::Permission;
use crate::manifest::document::Document;
use crate::permission::is_host_permission;
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::rule::Rule;
use crate::reading::tree::{Node, Value};

pub(super) fn agree(document: &Document<'_>, faults: &mut Faults) {
    actions(document, faults);
    file_types(document, faults);
    dependencies(document, faults);
    permissions(document, faults);
    pictures(document, faults);
}

/// The name of an action, written bare or in a map.
fn action_name(node: &Node) -> Option<&str> {
    node.text().or_else(|| node.get("name")?.text())
}

fn actions(document: &Document<'_>, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (number, node) in document.actions().iter().enumerate() {
        let path = format!("{}/{number}", list_path(document, "actions"));
        if let Some(name) = action_name(node).filter(|name| !seen.insert(*name)) {
            let message = format!("the action `{name}` is named twice");
            faults.push(Fault::new(FaultCode::Conflict, node.at, &path, message, "keep one of the two"));
        }
        if node.get("deadline").is_some() && node.get("deadline_ms").is_some() {
            let message = "`deadline` and `deadline_ms` say the same thing";
            faults.push(Fault::new(FaultCode::Conflict, node.at, &path, message, "keep one of them"));
        }
    }
}

fn list_path(document: &Document<'_>, name: &str) -> String {
    let path: &[&str] = if document.part(&[name]).is_some() { &[name] } else { &["interfaces", name] };
    document.path(path)
}

/// A file goes to a declared action, or to the only one there is.
fn file_types(document: &Document<'_>, faults: &mut Faults) {
    let actions: Vec<&str> = document.actions().iter().filter_map(action_name).collect();
    if actions.is_empty() {
        return;
    }
    let shown = actions.iter().take(16).copied().collect::<Vec<_>>().join(", ");
    for (number, node) in document.file_types().iter().enumerate() {
        let path = format!("{}/{number}", list_path(document, "file_types"));
        match node.get("action").and_then(|action| Some((action, action.text()?))) {
            Some((action, name)) if !actions.contains(&name) => {
                let message = format!("the plugin has no action `{name}`");
                let remedy = format!("name one of {shown}");
                let path = format!("{path}/action");
                faults.push(Fault::new(FaultCode::UnknownWord, action.at, &path, message, remedy));
            }
            None if actions.len() > 1 && matches!(node.value, Value::Map(_)) => {
                let message = "which action gets these files is not said, and there are several";
                let remedy = format!("write `action:` with one of {shown}");
                faults.push(Fault::new(FaultCode::MissingField, node.at, &path, message, remedy).warning());
            }
            _ => {}
        }
    }
}

fn dependencies(document: &Document<'_>, faults: &mut Faults) {
    let own = document.text(&["id"]).or_else(|| document.text(&["name"]));
    let mut seen = HashSet::new();
    let list = document.part(&["dependencies"]);
    for (number, node) in list.map_or(&[] as &[Node], Node::items).iter().enumerate() {
        let path = format!("{}/{number}", document.path(&["dependencies"]));
        let fault = |code, message: String, remedy| Fault::new(code, node.at, &path, message, remedy);
        let (id, name) = (node.get("id").and_then(Node::text), node.get("name").and_then(Node::text));
        if matches!(node.value, Value::Map(_)) && node.get("id").is_none() && node.get("name").is_none() {
            faults.push(fault(FaultCode::MissingField, "a dependency has no `id`".to_owned(), "name the other plugin"));
        }
        if id.is_some() && name.is_some() {
            faults.push(fault(FaultCode::Conflict, "`id` and `name` say the same thing".to_owned(), "keep `id`"));
        }
        let Some(id) = id.or(name).or_else(|| node.text().map(|text| text.split('@').next().unwrap_or(text))) else {
            continue;
        };
        if !seen.insert(id) {
            let message = format!("the dependency `{id}` is named twice");
            faults.push(fault(FaultCode::Conflict, message, "keep one, with a range that says both"));
        }
        if own == Some(id) {
            faults.push(fault(FaultCode::Conflict, "the plugin depends on itself".to_owned(), "leave it out"));
        }
    }
    let table = list.map_or(&[] as &[_], Node::entries);
    for entry in table.iter().filter(|entry| own == Some(entry.key.as_str())) {
        let path = format!("{}/{}", document.path(&["dependencies"]), entry.key);
        let message = "the plugin depends on itself";
        faults.push(Fault::new(FaultCode::Conflict, entry.at, &path, message, "leave it out"));
    }
}

/// Permissions that nobody knows are denied always, which the author would want to hear.
fn permissions(document: &Document<'_>, faults: &mut Faults) {
    let list = document.part(&["permissions"]).map_or(&[] as &[Node], Node::items);
    for (number, node) in list.iter().enumerate() {
        let text = node.text().or_else(|| node.get("name")?.text());
        let Some(permission) = text.and_then(|text| Permission::parse(text).ok()) else { continue };
        let name = permission.name();
        if !is_host_permission(&name) {
            let message = format!("nothing here knows the permission `{name}`, so it is denied always");
            let remedy = "ignore this where the application defines it; else see the permissions of the host API";
            let path = format!("{}/{number}", document.path(&["permissions"]));
            faults.push(Fault::new(FaultCode::UnknownPermission, node.at, &path, message, remedy).warning());
        }
    }
}

/// Pictures are shown to users, so their paths must not lead elsewhere. The map itself is kept as written.
fn pictures(document: &Document<'_>, faults: &mut Faults) {
    let Some(metadata) = document.root.get("metadata") else { return };
    let icon = metadata.get("icon").into_iter();
    let screenshots = metadata.get("screenshots").map_or(&[] as &[Node], Node::items).iter();
    for node in icon.chain(screenshots) {
        let Some(text) = node.text().filter(|text| !text.starts_with("https://")) else { continue };
        if let Err(broken) = Rule::Path.check(text) {
            let message = format!("a picture: {}", broken.message);
            let remedy = "write a path inside the plugin's folder, or a web address that starts with https://";
            faults.push(Fault::new(broken.code, node.at, "/metadata", message, remedy).warning());
        }
    }
}
