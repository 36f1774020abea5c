//! Single values from the environment and the command line, and where they go.

use super::fields::FILE;
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::scalar;
use crate::reading::shape::Shape;
use crate::reading::tree::{Entry, Mark, Node, Value};
use crate::reading::wording::SETTINGS;
use crate::reading::yaml;

/// Names that a path may have.
const STEPS: usize = 32;

/// A value and the names that lead to it.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    steps: Vec<String>,
    text: String,
    value: Value,
    /// Whether it comes from the environment, where names are spelled differently and values may be secret.
    pub(super) from_environment: bool,
}

/// From a variable, its prefix taken away.
pub(super) fn of_variable(path: &str, text: &str) -> Result<Assignment, Box<Fault>> {
    let steps: Vec<String> = path.split("__").map(str::to_lowercase).collect();
    assignment(steps, text, true)
}

/// From `PATH=VALUE`.
pub(super) fn of_assignment(text: &str) -> Result<Assignment, Box<Fault>> {
    let Some((path, value)) = text.split_once('=') else {
        return wrong("there is no `=`", "write PATH=VALUE, for example load.auto=true");
    };
    let steps = match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    assignment(steps, value, false)
}

fn wrong<T>(message: &str, remedy: &str) -> Result<T, Box<Fault>> {
    Err(Box::new(Fault::without_place(FaultCode::Syntax, "", message, remedy)))
}

fn assignment(steps: Vec<String>, text: &str, from_environment: bool) -> Result<Assignment, Box<Fault>> {
    if steps.iter().any(String::is_empty) || steps.len() > STEPS {
        return wrong("the path is not one of a setting", "write the names of the fields, none of them empty");
    }
    let mut faults = Faults::default();
    // What is no YAML is text: passwords look like anything.
    let read =
        if text.trim().is_empty() { None } else { yaml::read_as(&SETTINGS, text.as_bytes(), false, &mut faults) };
    let value = match read {
        Some(mut node) if !faults.has_errors() => {
            forget_places(&mut node);
            node.value
        }
        _ => Value::Text(text.to_owned()),
    };
    Ok(Assignment { steps, text: text.to_owned(), value, from_environment })
}

/// Lines and columns of a single value mean nothing.
fn forget_places(node: &mut Node) {
    node.at = Mark::NOWHERE;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_places),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.at = Mark::NOWHERE;
            forget_places(&mut entry.node);
        }),
        _ => {}
    }
}

impl Assignment {
    /// A tree with this value alone. `below` is what it will be laid over; free names are those that are there.
    pub(super) fn tree(&self, below: &Node) -> Node {
        let mut names: Vec<String> = Vec::new();
        let (mut shape, mut there) = (Some(Shape::Object(FILE)), Some(below));
        for step in &self.steps {
            let name = self.name(step, shape.as_ref(), there);
            shape = shape.and_then(|shape| inner(&shape, &name));
            there = there.and_then(|node| node.get(&name));
            names.push(name);
        }
        let value = self.fitting(shape.as_ref());
        names.into_iter().rev().fold(Node { at: Mark::NOWHERE, value }, |node, key| {
            let entry = Entry { key, at: Mark::NOWHERE, node };
            Node { at: Mark::NOWHERE, value: Value::Map(vec![entry]) }
        })
    }

    /// The name that a step means.
    fn name(&self, step: &str, shape: Option<&Shape>, there: Option<&Node>) -> String {
        let free = !matches!(shape, Some(Shape::Object(_)));
        let known = there.map_or(&[] as &[Entry], Node::entries);
        let exact = known.iter().any(|entry| entry.key == step);
        if !self.from_environment || !free || exact {
            return step.to_owned();
        }
        let alike = |name: &str| name.to_lowercase().replace(['-', '.'], "_") == step;
        known.iter().find(|entry| alike(&entry.key)).map_or(step.to_owned(), |entry| entry.key.clone())
    }

    /// The value as YAML reads it, unless only its text fits: `user=007` is text where text is wanted.
    fn fitting(&self, shape: Option<&Shape>) -> Value {
        let node = Node { at: Mark::NOWHERE, value: self.value.clone() };
        let text = Node { at: Mark::NOWHERE, value: Value::Text(self.text.clone()) };
        match shape {
            Some(shape) if !shape.admits(&node) && shape.admits(&text) => text.value,
            _ => node.value,
        }
    }
}

/// The shape of a field.
fn inner(shape: &Shape, name: &str) -> Option<Shape> {
    match shape {
        Shape::Object(fields) => fields.iter().find(|field| field.name == name).map(|field| field.shape),
        Shape::Table(_, item) => Some(**item),
        _ => None,
    }
}

/// Texts with variables in them are numbers and flags where such are wanted: `port: ${PORT}`.
pub(super) fn fit(node: &mut Node, written: &Node, shape: &Shape) {
    match (&mut node.value, &written.value) {
        (Value::Text(text), Value::Text(before)) => {
            let resolved = (text != before).then(|| scalar::resolve(text)).flatten();
            let resolved = resolved.map(|value| Node { at: node.at, value });
            if let Some(resolved) = resolved.filter(|resolved| shape.admits(resolved) && !shape.admits(node)) {
                *node = resolved;
            }
        }
        (Value::List(items), Value::List(before)) => {
            if let Shape::List(item) = shape {
                items.iter_mut().zip(before).for_each(|(node, written)| fit(node, written, item));
            }
        }
        (Value::Map(entries), Value::Map(before)) => {
            for (entry, before) in entries.iter_mut().zip(before) {
                if let Some(shape) = inner(shape, &entry.key) {
                    fit(&mut entry.node, &before.node, &shape);
                }
            }
        }
        _ => {}
    }
}
