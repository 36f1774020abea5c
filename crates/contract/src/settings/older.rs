//! Older spellings to the settings they mean: `module_manager` of requirement 000, `resources` and `security` of
//! requirement 003, and limits in milliseconds. A tree of settings comes out that has none of them.

use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::tree::{Entry, Mark, Node, Value, join};

/// `module_manager`'s fields, what they mean, and whether a whole number means seconds.
const MODULE_MANAGER: &[(&str, &[&str], bool)] = &[
    ("module_dirs", &["folders"], false),
    ("auto_scan", &["scan", "auto"], false),
    ("scan_interval", &["scan", "interval"], true),
    ("auto_load", &["load", "auto"], false),
    ("auto_restart", &["restart", "auto"], false),
    ("max_restart_attempts", &["restart", "attempts"], false),
    ("health_check_interval", &["health", "interval"], true),
    ("module_timeout", &["limits", "call_deadline"], true),
];

/// The folders of a configuration whose `module_manager` names none, by requirement 000.
pub const MODULE_DIRS: [&str; 3] = ["./modules", "~/.chips/modules", "/usr/local/chips/modules"];
/// The folders of a configuration whose `plugins` names none, by requirement 004: built in, the user's, the system's.
pub const PLUGIN_DIRS: [&str; 3] = ["./plugins", "~/.musicfox/plugins", "/usr/share/musicfox/plugins"];

const RESOURCES: &[(&str, &str)] = &[
    ("max_memory", "memory"),
    ("max_cpu", "cpu"),
    ("max_disk_io", "disk_io"),
    ("max_network_io", "network_io"),
    ("timeout", "call_deadline"),
    ("max_goroutines", "threads"),
    ("max_file_descriptors", "file_descriptors"),
    ("max_network_connections", "connections"),
];

/// Translates a tree that fits the tables of fields.
pub(super) fn translate(root: &mut Node, faults: &mut Faults) {
    if let Some(manager) = take(root, "module_manager") {
        module_manager(root, &manager, faults);
    }
    milliseconds(root, "", faults);
    let Some(plugins) = root.get_mut("plugins") else { return };
    let Value::Map(plugins) = &mut plugins.value else { return };
    for plugin in plugins {
        let path = join("/plugins", &plugin.key);
        milliseconds(&mut plugin.node, &path, faults);
        if let Some(resources) = take(&mut plugin.node, "resources") {
            self::resources(&mut plugin.node, &resources, &join(&path, "resources"), faults);
        }
        if let Some(security) = take(&mut plugin.node, "security") {
            self::security(&mut plugin.node, &security, &join(&path, "security"), faults);
        }
    }
}

/// Where what stands at a path of an older spelling ends; every other path stays.
pub(super) fn ends_at(path: Vec<String>) -> Vec<String> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let renamed = |table: &[(&str, &'static str)], field: &str| {
        table.iter().find(|(older, _)| *older == field).map(|(_, means)| *means)
    };
    let below: &[&str] = match words.as_slice() {
        ["module_manager", field] => {
            let known = MODULE_MANAGER.iter().find(|(older, ..)| older == field);
            return known.map_or(path.clone(), |(_, means, _)| means.iter().map(ToString::to_string).collect());
        }
        ["plugins", _, "resources", "max_memory_mb"] => &["limits", "memory"],
        ["plugins", _, "resources", field] => match renamed(RESOURCES, field) {
            Some(means) => &["limits", means],
            None => return path,
        },
        ["plugins", _, "security", "sandbox"] => &["trust"],
        ["plugins", _, "security", "allowed_paths" | "allowed_networks"] => &["permissions"],
        _ => return path,
    };
    path.iter().take(2).cloned().chain(below.iter().map(ToString::to_string)).collect()
}

fn module_manager(root: &mut Node, manager: &Entry, faults: &mut Faults) {
    for (field, means, seconds) in MODULE_MANAGER {
        let Some(entry) = manager.node.written(field).filter(|entry| entry.node.value != Value::Null) else { continue };
        let node = if *seconds { in_seconds(&entry.node) } else { entry.node.clone() };
        place(root, means, entry, node, &join("/module_manager", field), faults);
    }
    if root.get("folders").is_none() {
        let folder = |text: &str| Node { at: manager.at, value: Value::Text(text.to_owned()) };
        let node = Node { at: manager.at, value: Value::List(MODULE_DIRS.map(folder).into()) };
        place(root, &["folders"], manager, node, "/module_manager", faults);
    }
}

fn in_seconds(node: &Node) -> Node {
    let value = node.whole().map_or_else(|| node.value.clone(), |seconds| Value::Text(format!("{seconds}s")));
    Node { at: node.at, value }
}

/// `limits.call_deadline_ms` and `limits.hook_deadline_ms`.
fn milliseconds(node: &mut Node, path: &str, faults: &mut Faults) {
    for (field, means) in [("call_deadline_ms", "call_deadline"), ("hook_deadline_ms", "hook_deadline")] {
        let Some(limits) = node.get_mut("limits") else { return };
        let Some(entry) = take(limits, field) else { continue };
        let value = entry.node.whole().map(|millis| Value::Text(format!("{millis}ms")));
        let Some(value) = value else { continue };
        let millis = Node { at: entry.node.at, value };
        place(limits, &[means], &entry, millis, &join(&join(path, "limits"), field), faults);
    }
}

fn resources(plugin: &mut Node, resources: &Entry, path: &str, faults: &mut Faults) {
    for entry in resources.node.entries() {
        let here = join(path, &entry.key);
        let means = RESOURCES.iter().find(|(field, _)| *field == entry.key).map(|(_, means)| *means);
        match (means, entry.key.as_str(), entry.node.whole()) {
            (Some(means), ..) => place(plugin, &["limits", means], entry, entry.node.clone(), &here, faults),
            (None, "max_memory_mb", Some(mib)) => {
                let value = Value::Text(format!("{mib}MiB"));
                place(plugin, &["limits", "memory"], entry, Node { at: entry.node.at, value }, &here, faults);
            }
            _ => unused(entry, &here, "what a machine must have is for the plugin's manifest to say", faults),
        }
    }
}

fn security(plugin: &mut Node, security: &Entry, path: &str, faults: &mut Faults) {
    let mut permissions: Vec<Node> = plugin.get("permissions").map_or(&[] as &[Node], Node::items).to_vec();
    let granted = permissions.len();
    for entry in security.node.entries() {
        let here = join(path, &entry.key);
        let mut grant = |names: &[&str]| {
            for item in entry.node.items() {
                let text = item.text().unwrap_or_default();
                let grants = names.iter().map(|name| Value::Text(format!("{name}:{text}")));
                permissions.extend(grants.map(|value| Node { at: item.at, value }));
            }
        };
        match entry.key.as_str() {
            "sandbox" if entry.node.flag() == Some(true) => {
                let value = Value::Text("untrusted".to_owned());
                place(plugin, &["trust"], entry, Node { at: entry.node.at, value }, &here, faults);
            }
            "sandbox" => {}
            "allowed_paths" => grant(&["file.read", "file.write"]),
            "allowed_networks" => grant(&["network.http"]),
            "allowed_syscalls" => unused(entry, &here, "system calls are not chosen one by one", faults),
            _ => unused(entry, &here, "sources are not looked at", faults),
        }
    }
    if permissions.len() > granted {
        take(plugin, "permissions");
        let node = Node { at: security.node.at, value: Value::List(permissions) };
        place(plugin, &["permissions"], security, node, path, faults);
    }
}

fn unused(entry: &Entry, path: &str, why: &str, faults: &mut Faults) {
    let message = format!("`{}` has no effect: {why}", entry.key);
    faults.push(Fault::new(FaultCode::NotUsed, entry.at, path, message, "leave it out").warning());
}

/// Puts a value where it belongs, or says that it is there already.
fn place(root: &mut Node, path: &[&str], from: &Entry, node: Node, written: &str, faults: &mut Faults) {
    if root.at(path).is_some() {
        let message = format!("`{}` and `{}` say the same thing", from.key, path.join("."));
        let remedy = format!("keep `{}`", path.join("."));
        return faults.push(Fault::new(FaultCode::Conflict, from.at, written, message, remedy));
    }
    put(root, path, from.at, node);
}

/// Puts a value at a path, and makes the maps on the way.
pub(super) fn put(root: &mut Node, path: &[&str], at: Mark, node: Node) {
    let Some((first, rest)) = path.split_first() else {
        *root = node;
        return;
    };
    if !matches!(root.value, Value::Map(_)) {
        root.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut root.value else { return };
    let index = entries.iter().position(|entry| entry.key == *first).unwrap_or_else(|| {
        entries.push(Entry { key: (*first).to_owned(), at, node: Node { at, value: Value::Map(Vec::new()) } });
        entries.len() - 1
    });
    if let Some(entry) = entries.get_mut(index) {
        put(&mut entry.node, rest, at, node);
    }
}

fn take(node: &mut Node, key: &str) -> Option<Entry> {
    let Value::Map(entries) = &mut node.value else { return None };
    let index = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(index))
}
