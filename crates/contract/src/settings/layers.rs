//! Layers over each other, and where each value comes from.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::fields::FILE;
use super::layer::{Content, Layer};
use super::older::translate;
use super::variable::fit;
use super::{Settings, idle, store};
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::shape::Shape;
use crate::reading::tree::{Mark, Node, Value, join};
use crate::reading::walk::{Place, walk};
use crate::reading::wording::SETTINGS;
use crate::{Code, Error};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, the variable, or the assignment, as messages call it.
    pub layer: String,
    /// Line and column in a file, from 1.
    pub place: Option<(usize, usize)>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.layer),
            None => f.write_str(&self.layer),
        }
    }
}

/// What is wrong, by the name of the layer or file.
pub type FaultsByFile = Vec<(String, Vec<Fault>)>;

/// What came of laying layers over each other.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The settings; `None` when a fault is an error.
    pub settings: Option<Settings>,
    /// What is wrong, by layer, in the order of the layers and of their texts; warnings also where there are settings.
    pub faults: FaultsByFile,
    /// The whole, defaults among it, for people to look at: variables of files are not put in, and values of plugins'
    /// configurations that came from the environment are named, not shown.
    pub shown: Json,
    /// Where each value comes from that is not a default, by its JSON pointer into `shown`.
    pub origins: BTreeMap<String, Origin>,
}

impl Settled {
    /// The settings and the warnings.
    ///
    /// # Errors
    /// `config_invalid` with a line for every fault that is an error; `data.files` has them all, as `{file, faults}`.
    pub fn into_result(self) -> crate::Result<(Settings, FaultsByFile)> {
        match self.settings {
            Some(settings) => Ok((settings, self.faults)),
            None => Err(into_error(&self.faults)),
        }
    }
}

fn into_error(faults: &[(String, Vec<Fault>)]) -> Error {
    let errors = || faults.iter().flat_map(|(file, faults)| faults.iter().map(move |fault| (file, fault)));
    let lines: Vec<String> = errors().filter(|(_, f)| f.is_error()).map(|(file, fault)| fault.in_file(file)).collect();
    let message = match lines.as_slice() {
        [one] => one.clone(),
        many => format!("the settings have {} faults\n{}", many.len(), many.join("\n")),
    };
    let remedy = match errors().filter(|(_, fault)| fault.is_error()).collect::<Vec<_>>().as_slice() {
        [(_, one)] => one.remedy.clone(),
        _ => "correct the faults; `midplane config check` shows a remedy for each".to_owned(),
    };
    let files: Vec<Json> =
        faults.iter().map(|(file, faults)| serde_json::json!({"file": file, "faults": faults})).collect();
    Error::new(Code::ConfigInvalid, message).remedy(remedy).with("files", files)
}

/// Lays layers over each other, later ones over earlier ones, and the whole over the defaults. Maps are merged, everything
/// else is replaced; an empty value (`null`) brings the default back.
#[must_use]
pub fn settle(layers: impl IntoIterator<Item = Layer>) -> Settled {
    let empty = || Node { at: Mark::NOWHERE, value: Value::Map(Vec::new()) };
    let (mut whole, mut shown, mut origins) = (empty(), empty(), BTreeMap::new());
    let mut faults: FaultsByFile = Vec::new();
    for layer in layers {
        let name = layer.name.clone();
        let mut found = Faults::default();
        layer.faults.iter().for_each(|fault| found.push(fault.clone()));
        if let Some((expanded, written)) = trees(layer, &whole, &mut found) {
            note(&expanded, &name, "", &mut origins);
            merge(&mut shown, written);
            merge(&mut whole, expanded);
        }
        let found = found.finish();
        if !found.is_empty() {
            faults.push((name, found));
        }
    }
    for (layer, fault) in store::faults(&whole, |path| origins.get(path).cloned()) {
        match faults.iter_mut().find(|(name, _)| *name == layer) {
            Some((_, found)) => found.push(fault),
            None => faults.push((layer, vec![fault])),
        }
    }
    let broken = faults.iter().flat_map(|(_, faults)| faults).any(Fault::is_error);
    let settings = (!broken).then(|| model(&whole)).transpose().unwrap_or_else(|error| {
        let remedy = "report this: it is a fault of Midplane";
        let fault =
            Fault::without_place(FaultCode::InvalidValue, "", format!("the settings cannot be read: {error}"), remedy);
        faults.push(("settings".to_owned(), vec![fault]));
        None
    });
    let mut all = serde_json::to_value(Settings::default()).unwrap_or_default();
    lay_over(&mut all, plain(&shown, Some(&Shape::Object(FILE))));
    Settled { settings, faults, shown: all, origins }
}

/// A layer as two trees without older spellings: with its values, and with what may be shown of them.
fn trees(layer: Layer, below: &Node, faults: &mut Faults) -> Option<(Node, Node)> {
    let shape = Shape::Object(FILE);
    let (mut expanded, mut written) = match layer.content {
        Content::Nothing => return None,
        Content::Tree { mut expanded, written } => {
            fit(&mut expanded, &written, &shape);
            (expanded, written)
        }
        Content::Value(assignment) => {
            let tree = assignment.tree(below);
            let mut shown = tree.clone();
            if assignment.from_environment {
                hide(&mut shown, &layer.name);
            }
            (tree, shown)
        }
    };
    walk(&expanded, &shape, &Place::of(&SETTINGS), faults);
    if !matches!(expanded.value, Value::Map(_)) || faults.has_errors() {
        return None;
    }
    translate(&mut expanded, faults);
    idle::warn(&expanded, faults);
    translate(&mut written, &mut Faults::default());
    Some((expanded, written))
}

/// Puts the variable's name where a plugin's configuration would show its value.
fn hide(root: &mut Node, variable: &str) {
    let Some(Value::Map(plugins)) = root.get_mut("plugins").map(|node| &mut node.value) else { return };
    for plugin in plugins {
        if let Some(config) = plugin.node.get_mut("config") {
            replace_leaves(config, &format!("${{{variable}}}"));
        }
    }
}

fn replace_leaves(node: &mut Node, text: &str) {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().for_each(|entry| replace_leaves(&mut entry.node, text)),
        value => *value = Value::Text(text.to_owned()),
    }
}

/// Notes where the leaves of a layer come from; what they take the place of is forgotten.
fn note(node: &Node, layer: &str, path: &str, origins: &mut BTreeMap<String, Origin>) {
    if let Value::Map(entries) = &node.value
        && (!entries.is_empty() || path.is_empty())
    {
        origins.remove(path);
        return entries.iter().for_each(|entry| note(&entry.node, layer, &join(path, &entry.key), origins));
    }
    let below = format!("{path}/");
    origins.retain(|known, _| known != path && !known.starts_with(&below));
    if node.value != Value::Null {
        let place = (node.at != Mark::NOWHERE).then_some((node.at.line, node.at.column));
        origins.insert(path.to_owned(), Origin { layer: layer.to_owned(), place });
    }
}

pub(super) fn merge(base: &mut Node, over: Node) {
    match (&mut base.value, over.value) {
        (Value::Map(base), Value::Map(over)) => {
            for entry in over {
                match base.iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => merge(&mut known.node, entry.node),
                    None => base.push(entry),
                }
            }
        }
        (value, over) => *value = over,
    }
}

/// A tree without places, and without the nulls that mean that nothing is written.
fn plain(node: &Node, shape: Option<&Shape>) -> Json {
    let (Value::Map(entries), Some(shape @ (Shape::Object(_) | Shape::Table(..)))) = (&node.value, shape) else {
        return node.to_json();
    };
    let entries = entries.iter().filter(|entry| entry.node.value != Value::Null);
    Json::Object(
        entries
            .map(|entry| {
                let inner = match shape {
                    Shape::Object(fields) => fields.iter().find(|field| field.name == entry.key).map(|f| &f.shape),
                    Shape::Table(_, item) => Some(*item),
                    _ => None,
                };
                (entry.key.clone(), plain(&entry.node, inner))
            })
            .collect::<Map<_, _>>(),
    )
}

fn lay_over(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                lay_over(base.entry(key).or_insert(Json::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// The model. What is said for all is said for each plugin, and its own word stands over it.
fn model(root: &Node) -> serde_json::Result<Settings> {
    let mut all = plain(root, Some(&Shape::Object(FILE)));
    let shared: Vec<(&str, Json)> = ["restart", "health", "remote"]
        .into_iter()
        .filter_map(|section| Some((section, all.get(section)?.clone())))
        .collect();
    for plugin in all.get_mut("plugins").and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut) {
        for (section, value) in &shared {
            let mut base = value.clone();
            lay_over(&mut base, plugin.get(section).cloned().unwrap_or_else(|| Json::Object(Map::new())));
            if let Json::Object(plugin) = plugin {
                plugin.insert((*section).to_owned(), base);
            }
        }
    }
    serde_json::from_value(all)
}
