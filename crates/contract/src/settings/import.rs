//! Other configuration files, to settings: `plugins`, `hotload`, `dependency`, `monitoring`, `compatibility`,
//! `wasm_plugins` and `migration_strategy` of requirements 003 and 004, and settings of our own.
//!
//! Each value is looked up by its path in one table of rules (`rules`). What has a place in the settings goes there as
//! it is written, variables and units too; what has none is named, with the reason, and so is what has one that nothing
//! goes by yet.

mod placed;
mod rules;

use serde_json::Value as Json;

use super::fields::FILE;
use super::older::{PLUGIN_DIRS, ends_at, put, translate};
use super::{FaultsByFile, Settled, idle};
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::shape::Shape;
use crate::reading::tree::{Entry, Mark, Node, Value, join};
use crate::reading::walk::{Place, walk};
use crate::reading::wording::SETTINGS;
use crate::reading::yaml;
use placed::Placed;
use rules::Verdict;

/// A value that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Key {
    /// The file.
    pub file: String,
    /// Its path there, a JSON pointer.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// Where it went in the settings, with dots; or why it went nowhere.
    pub outcome: String,
}

/// What came of importing files.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The settings, as `midplane.yaml` has them.
    pub settings: Json,
    /// What has a place, or holds without being said.
    pub used: Vec<Key>,
    /// What has a place that nothing in this version goes by.
    pub idle: Vec<Key>,
    /// What has none.
    pub unused: Vec<Key>,
    /// What is wrong, by file.
    pub faults: FaultsByFile,
}

impl Imported {
    /// The settings as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        super::to_yaml(&self.settings)
    }

    /// A value that another one has taken the place of has none.
    fn replace(&mut self, before: &Key, by: &Key) {
        let is_other = |key: &Key| (&key.file, &key.path) != (&before.file, &before.path);
        self.used.retain(is_other);
        self.idle.retain(is_other);
        let Key { file, line, column, path, .. } = by;
        let outcome = format!("{} is what {file}:{line}:{column}: {path} says, which comes later", before.outcome);
        self.unused.push(Key { outcome, ..before.clone() });
    }

    /// Nothing, where no fault is an error.
    ///
    /// # Errors
    /// As [`Settled::into_result`].
    pub fn check(&self) -> crate::Result<()> {
        let broken = self.faults.iter().flat_map(|(_, faults)| faults).any(Fault::is_error);
        if !broken {
            return Ok(());
        }
        let (settings, shown, origins) = (None, Json::Null, std::collections::BTreeMap::new());
        Settled { settings, faults: self.faults.clone(), shown, origins }.into_result().map(drop)
    }
}

/// Imports files, each a name and its text. Folders add up; of two other values for the same place the later one counts, and
/// the other is named with what has none.
#[must_use]
pub fn import<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Imported {
    let empty = Node { at: Mark::START, value: Value::Map(Vec::new()) };
    let mut imported = Imported::default();
    let (mut whole, mut placed) = (empty.clone(), Placed::default());
    for (file, text) in files {
        let mut faults = Faults::default();
        let json = file.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
        if let Some(root) = yaml::read_as(&SETTINGS, text, json, &mut faults) {
            if let Some(fault) = manifest(file, &root) {
                imported.faults.push((file.to_owned(), vec![fault]));
                continue;
            }
            // Alone first: its faults have the places of this file.
            let mut alone = empty.clone();
            let mut import = Import { file, target: &mut alone, told: &mut imported, placed: &mut placed };
            import.node(&root, &mut Vec::new(), "", root.at);
            default_folders(&root, &mut alone);
            walk(&checkable(&alone), &Shape::Object(FILE), &Place::of(&SETTINGS), &mut faults);
            translate(&mut alone, &mut faults);
            add_folders(&whole, &mut alone);
            super::layers::merge(&mut whole, alone);
        }
        let faults = faults.finish();
        if !faults.is_empty() {
            imported.faults.push((file.to_owned(), faults));
        }
    }
    imported.settings = whole.to_json();
    imported
}

/// A tree without the texts that variables are still to be put into: what they will say is not known here.
fn checkable(node: &Node) -> Node {
    let is_open = |node: &Node| node.text().is_some_and(|text| text.contains("${"));
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().filter(|item| !is_open(item)).map(checkable).collect()),
        Value::Map(entries) => {
            let kept = entries.iter().filter(|entry| !is_open(&entry.node));
            Value::Map(kept.map(|entry| Entry { node: checkable(&entry.node), ..entry.clone() }).collect())
        }
        other => other.clone(),
    };
    Node { at: node.at, value }
}

/// What is said of a plugin's manifest, in any of its spellings: it is no configuration of a host.
fn manifest(file: &str, root: &Node) -> Option<Fault> {
    let text = |key: &str| root.get(key).and_then(Node::text);
    let map = |key: &str| root.get(key).filter(|node| matches!(node.value, Value::Map(_)));
    let enveloped = map("metadata").zip(map("spec"));
    let plain = text("version").and(text("id").or(text("name")));
    let id = match (plain, enveloped) {
        (Some(id), _) => id,
        (None, Some((metadata, _))) => metadata.get("name").and_then(Node::text).unwrap_or("ID"),
        (None, None) => return None,
    };
    let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let message = format!("this is the manifest of the plugin `{id}`, and no configuration of a host");
    let remedy = format!(
        "check it with `midplane check {folder}`; what a host decides about the plugin stands in settings, under plugins.{id}"
    );
    Some(Fault::new(FaultCode::Conflict, root.at, "", message, remedy))
}

/// A host with a `plugins` that names no directories has had some all the same. Settings of our own have plugins under that
/// name, and none of these.
fn default_folders(root: &Node, alone: &mut Node) {
    let sections = ["auto_load", "hot_reload", "security", "performance", "plugin_configs"];
    let Some(plugins) = root.get("plugins").filter(|plugins| sections.iter().any(|key| plugins.get(key).is_some()))
    else {
        return;
    };
    if plugins.get("directories").is_none() && alone.get("folders").is_none() {
        let folder = |text: &str| Node { at: plugins.at, value: Value::Text(text.to_owned()) };
        put(
            alone,
            &["folders"],
            plugins.at,
            Node { at: plugins.at, value: Value::List(PLUGIN_DIRS.map(folder).into()) },
        );
    }
}

/// Every file's folders are looked in, those of earlier files first.
fn add_folders(whole: &Node, alone: &mut Node) {
    let Some(Value::List(folders)) = alone.get_mut("folders").map(|node| &mut node.value) else { return };
    let mut all = whole.get("folders").map_or(&[] as &[Node], Node::items).to_vec();
    all.extend(
        folders.drain(..).filter(|folder| all.iter().all(|known| known.value != folder.value)).collect::<Vec<_>>(),
    );
    *folders = all;
}

struct Import<'a> {
    file: &'a str,
    target: &'a mut Node,
    told: &'a mut Imported,
    placed: &'a mut Placed,
}

impl Import<'_> {
    fn node<'n>(&mut self, node: &'n Node, steps: &mut Vec<&'n str>, pointer: &str, at: Mark) {
        let leaf = !matches!(&node.value, Value::Map(entries) if !entries.is_empty());
        if leaf || rules::takes_whole(steps) {
            if node.value != Value::Null {
                self.value(node, steps, pointer, at);
            }
            return;
        }
        for entry in node.entries() {
            steps.push(&entry.key);
            self.node(&entry.node, steps, &join(pointer, &entry.key), entry.at);
            steps.pop();
        }
    }

    fn value(&mut self, node: &Node, steps: &[&str], pointer: &str, at: Mark) {
        let file = self.file;
        let key = |outcome: String| Key {
            file: file.to_owned(),
            path: pointer.to_owned(),
            line: at.line,
            column: at.column,
            outcome,
        };
        match rules::verdict(steps, node) {
            Verdict::Goes(path, value) => {
                let end = ends_at(path.clone());
                let key = key(end.join("."));
                self.placed.put(&key, &value).iter().for_each(|before| self.told.replace(before, &key));
                let told = if idle::covers(&end) { &mut self.told.idle } else { &mut self.told.used };
                told.push(key);
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                // Lists from several keys add up: permissions, folders.
                let before = self.target.at(&path).map_or(&[] as &[Node], Node::items).to_vec();
                let value = match value {
                    Value::List(items) => Value::List(before.into_iter().chain(items).collect()),
                    value => value,
                };
                put(self.target, &path, at, Node { at: node.at, value });
            }
            Verdict::Holds(why) => self.told.used.push(key(why.to_owned())),
            Verdict::Nowhere(why) => self.told.unused.push(key(why)),
        }
    }
}
