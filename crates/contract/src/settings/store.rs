//! What the fields of `store` say together: each kind has fields of its own.

use super::Origin;
use crate::reading::fault::{Fault, FaultCode};
use crate::reading::tree::{Mark, Node};

/// The kinds, the field that each must have, and the other fields that it goes by.
const KINDS: &[(&str, Option<&str>, &[&str])] = &[
    ("file", Some("path"), &[]),
    ("database", None, &["path"]),
    ("redis", Some("address"), &["database", "user", "password", "prefix", "timeout"]),
];

/// What is wrong with the store of all layers together, each with the layer that the fault is in.
pub(super) fn faults(root: &Node, origin: impl Fn(&str) -> Option<Origin>) -> Vec<(String, Fault)> {
    let Some(store) = root.get("store") else { return Vec::new() };
    let kind = store.get("kind").and_then(Node::text).unwrap_or("file");
    let Some((_, needed, others)) = KINDS.iter().find(|(name, ..)| *name == kind) else { return Vec::new() };
    let written: Vec<&str> =
        store.entries().iter().map(|entry| entry.key.as_str()).filter(|key| store.get(key).is_some()).collect();
    let missing = needed.filter(|needed| store.get(needed).is_none()).map(|needed| {
        // Where the store is named: at its kind, or at whatever else is said of it.
        let near = ["kind"].into_iter().chain(written.iter().copied()).find_map(|key| origin(&format!("/store/{key}")));
        let near = near.or_else(|| origin("/store"));
        let what = match needed {
            "path" => "the folder that it keeps its files in, for example `path: ./configs`",
            _ => "where its server is, for example `address: 127.0.0.1:6379`",
        };
        placed(
            near,
            FaultCode::MissingField,
            "/store",
            &format!("the store of kind `{kind}` has no `{needed}`"),
            &format!("name {what}"),
        )
    });
    let foreign = written.iter().filter(|key| **key != "kind" && Some(**key) != *needed && !others.contains(key));
    let foreign = foreign.map(|key| {
        let message = format!("a store of kind `{kind}` does not go by `{key}`");
        let (layer, fault) = placed(
            origin(&format!("/store/{key}")),
            FaultCode::NotUsed,
            &format!("/store/{key}"),
            &message,
            "leave it out, or name another `kind`",
        );
        (layer, fault.warning())
    });
    missing.into_iter().chain(foreign).collect()
}

fn placed(origin: Option<Origin>, code: FaultCode, path: &str, message: &str, remedy: &str) -> (String, Fault) {
    let (layer, place) = origin.map_or(("settings".to_owned(), None), |origin| (origin.layer, origin.place));
    let at = place.map_or(Mark::NOWHERE, |(line, column)| Mark { line, column });
    (layer, Fault::new(code, at, path, message, remedy))
}
