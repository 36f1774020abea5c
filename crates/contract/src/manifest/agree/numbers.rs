//! Numbers and versions that have to fit each other.

use super::at;
use crate::manifest::document::Document;
use crate::reading::fault::{FaultCode, Faults};
use crate::reading::quantity::parse_size;
use crate::reading::tree::Node;
use crate::version::parse_version;

pub(super) fn agree(document: &Document<'_>, faults: &mut Faults) {
    instances(document, faults);
    memory(document, faults);
    versions(document, faults);
}

fn instances(document: &Document<'_>, faults: &mut Faults) {
    let number = |name: &str| document.part(&["instances", name]).and_then(Node::whole);
    let (min, max) = (number("min"), number("max"));
    let pool = document.text(&["instances", "mode"]) == Some("pool");
    if !pool && (min.is_some_and(|n| n > 1) || max.is_some_and(|n| n > 1)) {
        let which = if max.is_some_and(|n| n > 1) { "max" } else { "min" };
        let message = "an actor has exactly one instance".to_owned();
        let remedy = "write `mode: pool`, or leave min and max out";
        return faults.push(at(document, &["instances", which], FaultCode::OutOfRange, message, remedy));
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = format!("`min` is {min} and `max` only {max}");
        faults.push(at(document, &["instances", "min"], FaultCode::OutOfRange, message, "make max at least min"));
    }
}

fn memory(document: &Document<'_>, faults: &mut Faults) {
    let mib = |name: &str| document.part(&["resources", name]).and_then(Node::whole);
    let (min, max) = (mib("min_memory_mb"), mib("max_memory_mb"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = format!("`min_memory_mb` is {min} and `max_memory_mb` only {max}");
        let remedy = "make max_memory_mb at least min_memory_mb";
        faults.push(at(document, &["resources", "min_memory_mb"], FaultCode::OutOfRange, message, remedy));
    }
    let limit = document.part(&["limits", "memory"]).and_then(bytes);
    if let (Some(limit), Some(max)) = (limit, max)
        && limit != max.saturating_mul(1 << 20)
    {
        let message = format!("`limits.memory` is {limit} bytes and `resources.max_memory_mb` is {max} MiB");
        let remedy = "keep one of them, or make them equal";
        faults.push(at(document, &["limits", "memory"], FaultCode::Conflict, message, remedy));
    }
}

fn bytes(node: &Node) -> Option<u64> {
    node.whole().or_else(|| node.text().and_then(parse_size))
}

fn versions(document: &Document<'_>, faults: &mut Faults) {
    let homes: [[&[&str]; 2]; 2] =
        [[&["min_version"], &["max_version"]], [&["compatibility", "min_version"], &["compatibility", "max_version"]]];
    for [least, most] in homes {
        let version = |path| document.text(path).and_then(|text| parse_version(text).ok());
        if let (Some(min), Some(max)) = (version(least), version(most))
            && min > max
        {
            let message = format!("`min_version` is {min} and `max_version` only {max}");
            faults.push(at(document, least, FaultCode::OutOfRange, message, "make max_version at least min_version"));
        }
    }
}
