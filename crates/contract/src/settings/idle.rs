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

/// Says which of them are written.
pub(super) fn warn(root: &Node, faults: &mut Faults) {
    note(root, "", faults);
    for plugin in root.get("plugins").map_or(&[] as &[_], Node::entries) {
        note(&plugin.node, &crate::reading::tree::join("/plugins", &plugin.key), faults);
    }
}

fn note(node: &Node, path: &str, faults: &mut Faults) {
    for steps in IDLE.iter().filter(|steps| node.at(steps).is_some()) {
        let Some((last, home)) = steps.split_last() else { continue };
        let at = node.at(home).map_or(node.at, |home| home.key_mark(last));
        let message = format!("`{}` is understood, and nothing in this version goes by it", steps.join("."));
        let pointer = format!("{path}/{}", steps.join("/"));
        let remedy = "leave it for a later version, or leave it out";
        faults.push(Fault::new(FaultCode::NotUsed, at, &pointer, message, remedy).warning());
    }
}
