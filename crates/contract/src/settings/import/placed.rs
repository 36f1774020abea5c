//! What was put where so far, to tell when one value takes the place of others.

use std::collections::BTreeMap;

use super::Key;
use crate::reading::tree::{Mark, Node, Value};

/// By their places in the settings, the values, and the keys that say so.
#[derive(Default)]
pub(super) struct Placed(BTreeMap<String, (Vec<Key>, Value)>);

impl Placed {
    /// Notes a value, and returns the keys that it takes the place of.
    pub(super) fn put(&mut self, key: &Key, value: &Value) -> Vec<Key> {
        let (keys, was) = self.0.entry(key.outcome.clone()).or_insert_with(|| (Vec::new(), value.clone()));
        let stays = same(was, value) || keys.iter().all(|before| add_up((before, was), (key, value)));
        let replaced = if stays { Vec::new() } else { std::mem::take(keys) };
        keys.push(key.clone());
        *was = value.clone();
        replaced
    }
}

/// Lists add up within a file, folders and plugins' own configurations always.
fn add_up((before, was): (&Key, &Value), (key, value): (&Key, &Value)) -> bool {
    match (was, value) {
        (Value::List(_), Value::List(_)) => before.file == key.file || key.outcome == "folders",
        (Value::Map(_), Value::Map(_)) => true,
        _ => false,
    }
}

/// Whether they say the same, wherever they stand.
fn same(one: &Value, other: &Value) -> bool {
    let json = |value: &Value| Node { at: Mark::NOWHERE, value: value.clone() }.to_json();
    json(one) == json(other)
}
