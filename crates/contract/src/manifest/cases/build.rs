//! The tree of a case file to the model. What the file says for all cases goes into each.

use std::time::Duration;

use serde_json::{Map, Value};

use super::model::{Body, Case, CaseFile, Demand, Demanded, Expectation, ExpectedError, Spot, Step};
use crate::manifest::parse_duration;
use crate::reading::tree::{Mark, Node, join};
use crate::{ActionName, PluginId, defaults};

/// Builds the model. `None` only for a tree that did not pass validation.
pub(super) fn file(root: &Node) -> Option<CaseFile> {
    let items = root.get("cases")?.items();
    let cases = items.iter().enumerate().map(|(number, node)| case(root, node, &format!("/cases/{number}")));
    Some(CaseFile { description: text(root, "description"), cases: cases.collect::<Option<_>>()? })
}

fn case(root: &Node, node: &Node, path: &str) -> Option<Case> {
    let mut config = root.get("config").map(Node::to_json_map).unwrap_or_default();
    lay_over(&mut config, node.get("config").map(Node::to_json_map).unwrap_or_default());
    let mut setup = steps(root, "", "setup")?;
    setup.extend(steps(node, path, "setup")?);
    let mut cleanup = steps(node, path, "cleanup")?;
    cleanup.extend(steps(root, "", "cleanup")?);
    let act = if node.get("action").is_some() { Some(step(node, path)?) } else { None };
    let expect = match act {
        Some(_) => None,
        None => node.get("expect").map(|expect| expectation(expect, &join(path, "expect"))),
    };
    let name = node.get("name")?;
    Some(Case {
        name: name.text()?.trim().to_owned(),
        description: text(node, "description"),
        skip: text(node, "skip"),
        config,
        setup,
        act,
        expect,
        verify: steps(node, path, "verify")?,
        cleanup,
        timeout: timeout(node).or_else(|| timeout(root)).unwrap_or(defaults::CALL_DEADLINE),
        spot: spot(path, name.at),
    })
}

/// Maps are merged, everything else is replaced.
fn lay_over(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => lay_over(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn timeout(node: &Node) -> Option<Duration> {
    node.get("timeout")?.text().and_then(parse_duration)
}

fn steps(node: &Node, path: &str, name: &str) -> Option<Vec<Step>> {
    let path = join(path, name);
    let items = node.get(name).map_or(&[][..], Node::items).iter().enumerate();
    items.map(|(number, node)| step(node, &format!("{path}/{number}"))).collect()
}

fn step(node: &Node, path: &str) -> Option<Step> {
    let action = node.get("action")?;
    let plugin = match node.get("plugin") {
        Some(plugin) => Some(PluginId::new(plugin.text()?).ok()?),
        None => None,
    };
    Some(Step {
        plugin,
        action: ActionName::new(action.text()?).ok()?,
        input: body(node, path),
        expect: node.get("expect").map(|expect| expectation(expect, &join(path, "expect"))),
        spot: spot(path, action.at),
    })
}

fn body(node: &Node, path: &str) -> Body {
    let written =
        |name: &str| node.get(name).and_then(|node| Some((node.text()?.to_owned(), spot(&join(path, name), node.at))));
    if let Some(entry) = node.written("input") {
        return Body::Json(entry.node.to_json());
    }
    if let Some((text, _)) = written("text") {
        return Body::Text(text);
    }
    if let Some((text, spot)) = written("base64") {
        return Body::Base64(text, spot);
    }
    written("file").map_or(Body::Nothing, |(path, spot)| Body::File(path, spot))
}

fn expectation(node: &Node, path: &str) -> Expectation {
    if let Some(error) = node.get("error") {
        return Expectation::Error(match error.text() {
            Some(code) => ExpectedError { code: Some(code.to_owned()), message: Vec::new() },
            None => ExpectedError { code: text(error, "code"), message: texts(error.get("message")) },
        });
    }
    let demands = node.entries().iter().filter_map(|entry| {
        let demanded = demanded(&entry.key, &entry.node)?;
        Some(Demand { demanded, spot: spot(&join(path, &entry.key), entry.at) })
    });
    Expectation::Reply(demands.collect())
}

fn demanded(name: &str, node: &Node) -> Option<Demanded> {
    let text = || node.text().map(str::to_owned);
    Some(match name {
        "json" => Demanded::Json(node.to_json()),
        "subset" => Demanded::Subset(node.to_json()),
        "text" => Demanded::Text(text()?),
        "base64" => Demanded::Base64(text()?),
        "file" => Demanded::File(text()?),
        "contains" => Demanded::Contains(texts(Some(node))),
        "schema" => Demanded::Schema(node.to_json()),
        "empty" => Demanded::Empty(node.flag()?),
        _ => return None,
    })
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    match node.text() {
        Some(text) => vec![text.to_owned()],
        None => node.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
    }
}

fn text(node: &Node, name: &str) -> Option<String> {
    node.get(name)?.text().map(str::to_owned)
}

fn spot(pointer: &str, at: Mark) -> Spot {
    Spot { pointer: pointer.to_owned(), at }
}
