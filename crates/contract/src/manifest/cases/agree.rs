//! Rules between the fields of a case file.

use std::collections::HashMap;

use super::fields::{INPUTS, WHOLE};
use super::{LONGEST, Place};
use crate::manifest::parse_duration;
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::tree::{Entry, Node};
use crate::reading::wording::CASES;

/// Collects what contradicts itself.
pub(super) fn agree(root: &Node, faults: &mut Faults) {
    let place = Place::of(&CASES);
    timeout(root, &place, faults);
    steps(root, &place, faults);
    let Some(cases) = root.get("cases") else { return };
    let list = place.field("cases");
    if cases.items().is_empty() {
        let message = "there are no cases";
        faults.push(Fault::new(FaultCode::InvalidValue, cases.at, "/cases", message, "write at least one case"));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (number, node) in cases.items().iter().enumerate() {
        let place = list.item(number);
        if let Some(name) = node.get("name") {
            let first = seen.insert(name.text().unwrap_or_default(), name.at.line);
            if let (Some(line), true) = (first, name.text().is_some()) {
                let message = format!("line {line} has a case of this name already");
                conflict(name, &place.field("name"), message, "give each case a name of its own", faults);
            }
        }
        timeout(node, &place, faults);
        steps(node, &place, faults);
        call(node, &place, faults);
        without_action(node, &place, faults);
    }
}

fn conflict(node: &Node, place: &Place<'_>, message: impl Into<String>, remedy: &str, faults: &mut Faults) {
    if !faults.have_room() {
        return faults.leave_out();
    }
    faults.push(Fault::new(FaultCode::Conflict, node.at, &place.to_string(), message, remedy));
}

fn timeout(node: &Node, place: &Place<'_>, faults: &mut Faults) {
    let Some(timeout) = node.get("timeout") else { return };
    let Some(time) = timeout.text().and_then(parse_duration) else { return };
    if time.is_zero() || time > LONGEST {
        let message = "`timeout` is out of range";
        let path = place.field("timeout").to_string();
        faults.push(Fault::new(FaultCode::OutOfRange, timeout.at, &path, message, "write more than 0 and at most 1h"));
    }
}

fn steps(node: &Node, place: &Place<'_>, faults: &mut Faults) {
    for name in ["setup", "verify", "cleanup"] {
        let place = place.field(name);
        for (number, step) in node.get(name).map_or(&[][..], Node::items).iter().enumerate() {
            call(step, &place.item(number), faults);
        }
    }
}

/// One way to write the input, and an expectation that can be met.
fn call(node: &Node, place: &Place<'_>, faults: &mut Faults) {
    let inputs = written(node, &INPUTS);
    if let [first, second, ..] = inputs.as_slice() {
        let message = format!("both `{}` and `{}` say what the action gets", first.key, second.key);
        conflict(&second.node, &place.field(&second.key), message, "keep one of the two", faults);
    }
    let Some(expect) = node.get("expect") else { return };
    let place = place.field("expect");
    let entries = expect.entries();
    let whole = written(expect, &WHOLE);
    if let [first, second, ..] = whole.as_slice() {
        let message = format!("both `{}` and `{}` say what the whole reply is", first.key, second.key);
        conflict(&second.node, &place.field(&second.key), message, "keep one of the two", faults);
    }
    let error = expect.get("error");
    if let (Some(error), true) = (error, entries.len() > 1) {
        let message = "what fails gives an error and no reply";
        conflict(error, &place.field("error"), message, "keep `error`, or what the reply is", faults);
    }
    if entries.is_empty() {
        conflict(
            expect,
            &place,
            "`expect` says nothing",
            "write json, text, contains, …, error; or leave it out",
            faults,
        );
    }
}

/// Without an action there is nothing to hand over and no reply to look at.
fn without_action(node: &Node, place: &Place<'_>, faults: &mut Faults) {
    if node.get("action").is_some() {
        return;
    }
    for entry in written(node, &INPUTS) {
        let message = format!("`{}` is for an action, and the case names none", entry.key);
        conflict(&entry.node, &place.field(&entry.key), message, "write `action`, or leave the input out", faults);
    }
    let Some(expect) = node.get("expect") else { return };
    for entry in expect.entries().iter().filter(|entry| entry.key != "error") {
        let message = format!("`{}` is about a reply, and the case calls no action", entry.key);
        let remedy = "write `action`; a case without one is about loading and may only expect an error";
        conflict(&entry.node, &place.field("expect").field(&entry.key), message, remedy, faults);
    }
}

fn written<'n>(node: &'n Node, names: &[&str]) -> Vec<&'n Entry> {
    node.entries().iter().filter(|entry| names.contains(&entry.key.as_str())).collect()
}
