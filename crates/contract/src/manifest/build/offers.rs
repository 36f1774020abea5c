//! What a plugin offers: actions, file types, interfaces, capabilities, words to find it by.

use super::texts;
use crate::manifest::document::Document;
use crate::manifest::model::{FileType, InterfaceRef};
use crate::reading::quantity::parse_duration;
use crate::reading::tree::{Node, Value};
use crate::version::VersionRange;
use crate::{ActionName, ActionSpec};

pub(super) fn actions(document: &Document<'_>) -> Option<Vec<ActionSpec>> {
    document.actions().iter().map(action).collect()
}

fn action(node: &Node) -> Option<ActionSpec> {
    if let Some(name) = node.text() {
        return Some(ActionSpec::named(ActionName::new(name).ok()?));
    }
    Some(ActionSpec {
        name: ActionName::new(node.get("name")?.text()?).ok()?,
        description: node.get("description").and_then(Node::text).map(str::to_owned),
        input: node.get("input").map(Node::to_json),
        output: node.get("output").map(Node::to_json),
        idempotent: node.get("idempotent").and_then(Node::flag).unwrap_or(false),
        deadline_ms: milliseconds(node, "deadline", "deadline_ms"),
    })
}

/// A duration that is written with a unit in one field or in milliseconds in another; at least one.
pub(super) fn milliseconds(node: &Node, with_unit: &str, plain: &str) -> Option<u64> {
    node.get(plain).and_then(Node::whole).or_else(|| {
        let duration = parse_duration(node.get(with_unit)?.text()?)?;
        Some(u64::try_from(duration.as_millis()).ok()?.max(1))
    })
}

pub(super) fn file_types(document: &Document<'_>) -> Vec<FileType> {
    document.file_types().iter().filter_map(file_type).collect()
}

fn file_type(node: &Node) -> Option<FileType> {
    let text = |field: &str| node.get(field).and_then(Node::text).map(str::to_owned);
    let priority = node.get("priority").and_then(Node::number).and_then(serde_json::Number::as_i64);
    Some(FileType {
        extension: text("extension")?.to_lowercase(),
        mime_type: text("mime_type"),
        priority: priority.and_then(|number| i32::try_from(number).ok()).unwrap_or(0),
        action: text("action"),
    })
}

/// A plain list under `interfaces` is what the plugin provides.
pub(super) fn interfaces(document: &Document<'_>, direction: &str) -> Option<Vec<InterfaceRef>> {
    let Some(interfaces) = document.part(&["interfaces"]) else { return Some(Vec::new()) };
    let list = match &interfaces.value {
        Value::List(items) if direction == "provides" => items.as_slice(),
        _ => interfaces.get(direction).map_or(&[] as &[Node], Node::items),
    };
    list.iter().map(interface).collect()
}

fn interface(node: &Node) -> Option<InterfaceRef> {
    let (name, range) = match node.text() {
        Some(text) => text.split_once('@').map_or((text, None), |(name, range)| (name, Some(range))),
        None => (node.get("name")?.text()?, node.get("version").and_then(Node::text)),
    };
    let range = range.map(VersionRange::parse).transpose().ok()?;
    Some(InterfaceRef { name: name.to_owned(), range })
}

pub(super) fn capabilities(document: &Document<'_>) -> Vec<String> {
    texts(document.part(&["capabilities"]))
}

/// Tags, keywords and the tags of the free map, each once.
pub(super) fn tags(document: &Document<'_>) -> Vec<String> {
    let places: [&[&str]; 3] = [&["tags"], &["keywords"], &["metadata", "tags"]];
    let mut tags: Vec<String> = Vec::new();
    for tag in places.into_iter().flat_map(|place| texts(document.part(place))) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}
