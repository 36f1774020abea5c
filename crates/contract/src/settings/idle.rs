//! Settings that are understood and that nothing in this version goes by: said, so that nobody relies on them.

use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::tree::Node;

/// Their paths, from the root or from a plugin.
const IDLE: &[&[&str]] = &[
    &["reload"],
    &["restart"],
    &["health"],
    &["runtimes"],
    &["wire"],
    &["remote"],
    &["listen"],
    &["versions", "keep"],
    &["versions", "rollback"],
    &["name"],
];

/// Limits that no placement holds yet.
const UNHELD: [[&str; 2]; 3] = [["limits", "cpu"], ["limits", "network_io"], ["limits", "connections"]];

/// Whether nothing goes by what a path leads to, from the root.
pub(super) fn covers(path: &[String]) -> bool {
    let begins = |path: &[String]| {
        IDLE.iter().any(|steps| path.len() >= steps.len() && path.iter().zip(*steps).all(|(a, b)| a == b))
    };
    match path {
        [plugins, _, below @ ..] if plugins == "plugins" => begins(below),
        path => begins(path),
    }
}

/// Says which of them are written.
pub(super) fn warn(root: &Node, faults: &mut Faults) {
    note(root, "", faults);
    for plugin in root.get("plugins").map_or(&[] as &[_], Node::entries) {
        note(&plugin.node, &crate::reading::tree::join("/plugins", &plugin.key), faults);
    }
}

fn note(node: &Node, path: &str, faults: &mut Faults) {
    for steps in IDLE.iter().filter(|steps| node.at(steps).is_some()) {
        let message = format!("`{}` is understood, and nothing in this version goes by it", steps.join("."));
        warning(node, path, steps, message, "leave it for a later version, or leave it out", faults);
    }
    for steps in UNHELD.iter().filter(|steps| node.at(steps.as_slice()).is_some()) {
        let message = format!("this version holds no plugin to `{}`, and loads none that has it", steps.join("."));
        warning(node, path, steps, message, "leave it out", faults);
    }
}

fn warning(node: &Node, path: &str, steps: &[&str], message: String, remedy: &str, faults: &mut Faults) {
    let Some((last, home)) = steps.split_last() else { return };
    let at = node.at(home).map_or(node.at, |home| home.key_mark(last));
    let pointer = format!("{path}/{}", steps.join("/"));
    faults.push(Fault::new(FaultCode::NotUsed, at, &pointer, message, remedy).warning());
}
