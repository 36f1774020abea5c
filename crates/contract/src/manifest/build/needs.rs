//! What a plugin needs: other plugins, permissions, configuration, resources, a platform.

use serde_json::{Map, Value as Json};

use super::{offers, texts};
use crate::manifest::document::{Document, Spelling};
use crate::manifest::model::{Compatibility, Dependency, DependencyKind, Engine, Resources};
use crate::reading::quantity::parse_size;
use crate::reading::tree::{Node, Value};
use crate::version::{Version, VersionRange, parse_version};
use crate::{Limits, Permission, PluginId};

pub(super) fn dependencies(document: &Document<'_>) -> Option<Vec<Dependency>> {
    let mut all = Vec::new();
    let lists: [(&[&str], DependencyKind); 4] = [
        (&["dependencies"], DependencyKind::Run),
        (&["compatibility", "dependencies"], DependencyKind::Run),
        (&["peer_dependencies"], DependencyKind::Peer),
        (&["dev_dependencies"], DependencyKind::Dev),
    ];
    for (path, kind) in lists {
        let Some(node) = document.part(path) else { continue };
        for entry in node.entries() {
            all.push(dependency(&entry.key, entry.node.text(), false, kind)?);
        }
        for item in node.items() {
            all.push(listed_dependency(item, kind)?);
        }
    }
    Some(all)
}

fn listed_dependency(item: &Node, kind: DependencyKind) -> Option<Dependency> {
    if let Some(text) = item.text() {
        let (id, range) = text.split_once('@').map_or((text, None), |(id, range)| (id, Some(range)));
        return dependency(id, range, false, kind);
    }
    let id = item.get("id").or_else(|| item.get("name"))?.text()?;
    let optional = item.get("optional").and_then(Node::flag).unwrap_or(false);
    dependency(id, item.get("version").and_then(Node::text), optional, kind)
}

fn dependency(id: &str, range: Option<&str>, optional: bool, kind: DependencyKind) -> Option<Dependency> {
    let version = range.map_or_else(|| Ok(VersionRange::any()), VersionRange::parse).ok()?;
    Some(Dependency { id: PluginId::new(id).ok()?, version, optional, kind })
}

pub(super) fn permissions(document: &Document<'_>) -> Option<Vec<Permission>> {
    let list = document.part(&["permissions"]).map_or(&[] as &[Node], Node::items);
    list.iter().map(|node| Permission::parse(node.text().or_else(|| node.get("name")?.text())?).ok()).collect()
}

/// The configuration's values and its schema. In the envelope `config` may hold both.
pub(super) fn configuration(document: &Document<'_>) -> (Map<String, Json>, Option<Json>) {
    let schema = document.part(&["config_schema"]);
    let Some(config) = document.part(&["config"]) else { return (Map::new(), schema.map(Node::to_json)) };
    let both = document.spelling == Spelling::Enveloped
        && config.get("schema").is_some_and(|schema| matches!(schema.value, Value::Map(_)))
        && config.entries().iter().all(|entry| matches!(entry.key.as_str(), "schema" | "values"));
    if both {
        let values = config.get("values").map(Node::to_json_map).unwrap_or_default();
        return (values, config.get("schema").map(Node::to_json));
    }
    (config.to_json_map(), schema.map(Node::to_json))
}

/// `limits`, and the limits that older spellings keep under `resources`.
pub(super) fn limits(document: &Document<'_>) -> Limits {
    let limit = |field: &str| document.part(&["limits", field]);
    let resource = |field: &str| document.part(&["resources", field]);
    let either = |one: &str, other: &str| limit(one).or_else(|| resource(other));
    let bytes = |node: &Node| node.whole().or_else(|| node.text().and_then(parse_size));
    let count = |node: &Node| node.whole().and_then(|number| u32::try_from(number).ok());
    let deadline = |field: &str, plain: &str| {
        document.part(&["limits"]).and_then(|limits| offers::milliseconds(limits, field, plain))
    };
    let timeout = || document.part(&["resources"]).and_then(|resources| offers::milliseconds(resources, "timeout", ""));
    let max_memory_mb = || resource("max_memory_mb").and_then(Node::whole).map(|mib| mib.saturating_mul(1 << 20));
    Limits {
        memory: either("memory", "max_memory").and_then(bytes).or_else(max_memory_mb),
        cpu: either("cpu", "max_cpu").and_then(Node::number).and_then(serde_json::Number::as_f64),
        disk_io: either("disk_io", "max_disk_io").and_then(bytes),
        network_io: either("network_io", "max_network_io").and_then(bytes),
        call_deadline_ms: deadline("call_deadline", "call_deadline_ms").or_else(timeout),
        hook_deadline_ms: deadline("hook_deadline", "hook_deadline_ms"),
        threads: either("threads", "max_goroutines").and_then(count),
        file_descriptors: either("file_descriptors", "max_file_descriptors").and_then(count),
        connections: either("connections", "max_network_connections").and_then(count),
        queue: limit("queue").and_then(count),
        payload: limit("payload").and_then(bytes),
        table_elements: limit("table_elements").and_then(count),
    }
}

pub(super) fn resources(document: &Document<'_>) -> Resources {
    let mib = |field: &str| document.part(&["resources", field]).and_then(Node::whole);
    Resources {
        min_memory_mb: mib("min_memory_mb"),
        max_memory_mb: mib("max_memory_mb"),
        requires_gpu: document.part(&["resources", "requires_gpu"]).and_then(Node::flag).unwrap_or(false),
    }
}

pub(super) fn compatibility(document: &Document<'_>) -> Option<Compatibility> {
    let text = |field: &str| document.text(&["compatibility", field]);
    let either = |field: &str| document.text(&[field]).or_else(|| text(field));
    let version = |field: &str| -> Option<Option<Version>> { either(field).map(parse_version).transpose().ok() };
    let mut engines = Vec::new();
    for path in [&["engines"] as &[&str], &["compatibility", "engines"]] {
        for entry in document.part(path).map_or(&[] as &[_], Node::entries) {
            engines.push(Engine { name: entry.key.clone(), range: VersionRange::parse(entry.node.text()?).ok()? });
        }
    }
    Some(Compatibility {
        core_version: text("core_version").map(VersionRange::parse).transpose().ok()?,
        min_version: version("min_version")?,
        max_version: version("max_version")?,
        platforms: joined(document, &["platforms", "supported_os"], &["os", "supported_os"]),
        architectures: joined(document, &["architectures", "supported_arch"], &["cpu", "supported_arch"]),
        capabilities: texts(document.part(&["compatibility", "capabilities"])),
        engines,
        fallbacks: joined(document, &["fallbacks"], &["fallbacks"]),
    })
}

/// The lists of these names under `compatibility`, then those beside it.
fn joined(document: &Document<'_>, inside: &[&str], beside: &[&str]) -> Vec<String> {
    let inside = inside.iter().flat_map(|name| texts(document.part(&["compatibility", name])));
    inside.chain(beside.iter().flat_map(|name| texts(document.part(&[name])))).collect()
}
