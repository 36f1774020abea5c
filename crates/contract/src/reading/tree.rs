//! A document as a tree in which every value and every key knows its place.

use serde_json::{Map, Number, Value as Json};

/// A place in the text, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    /// Of what is not in the text.
    pub(crate) const NOWHERE: Self = Self { line: 0, column: 0 };
    /// Of the document as a whole.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Mark,
    pub(crate) value: Value,
}

/// A value of YAML's core schema, which JSON shares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One line of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Mark,
    pub(crate) node: Node,
}

impl Node {
    /// The entries; none when this is no map.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items; none when this is no list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A field of a map. An explicit null is as good as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        (entry.node.value != Value::Null).then_some(&entry.node)
    }

    /// A field of a map, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// A field of a map, also where its value is an explicit null.
    pub(crate) fn written(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// What `get` finds when followed from field to field.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The place of a key, for messages about the field as a whole.
    pub(crate) fn key_mark(&self, key: &str) -> Mark {
        self.entries().iter().find(|entry| entry.key == key).map_or(self.at, |entry| entry.at)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<u64> {
        self.number()?.as_u64()
    }

    pub(crate) fn number(&self) -> Option<&Number> {
        match &self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Flag(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value without places.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Flag(flag) => Json::Bool(*flag),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(_) => Json::Object(self.to_json_map()),
        }
    }

    /// The entries without places.
    pub(crate) fn to_json_map(&self) -> Map<String, Json> {
        self.entries().iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
    }

    /// Values in here, bytes of text in here, and levels in here, this one included.
    pub(crate) fn weight(&self) -> Weight {
        let children = self.items().iter().chain(self.entries().iter().map(|entry| &entry.node));
        let keys: usize = self.entries().iter().map(|entry| entry.key.len()).sum();
        let own = Weight { values: 1, bytes: keys + self.text().map_or(0, str::len), levels: 1 };
        children.map(Self::weight).fold(own, |sum, child| Weight {
            values: sum.values + child.values,
            bytes: sum.bytes + child.bytes,
            levels: sum.levels.max(child.levels + 1),
        })
    }
}

/// How much a part of a tree is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    pub(crate) values: usize,
    pub(crate) bytes: usize,
    pub(crate) levels: usize,
}

/// `path` with one more step, as RFC 6901 writes it.
pub(crate) fn join(path: &str, step: &str) -> String {
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}
