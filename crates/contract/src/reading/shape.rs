//! What a value may look like. Validation and the JSON Schema for editors both read these, so they cannot disagree.

use super::rule::Rule;
use super::tree::{Node, Value};
use super::words::Words;

/// The shape of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text that follows a rule.
    Text(Rule),
    /// `true` or `false`.
    Flag,
    /// A whole number between two bounds, both included.
    Whole(u64, u64),
    /// A whole number that may be negative and fits 32 bits.
    Signed,
    /// A number above zero and up to a bound.
    Share(f64),
    /// One word of a vocabulary.
    Word(&'static Words),
    /// A list of values of one shape.
    List(&'static Shape),
    /// A map with free names that follow a rule, and values of one shape.
    Table(Rule, &'static Shape),
    /// A map with these fields and no others.
    Object(&'static [Field]),
    /// One of several; the kind of value decides which, so no two of them take the same kind.
    Either(&'static [Shape]),
    /// A map that is kept as written.
    FreeMap,
    /// A JSON Schema.
    JsonSchema,
    /// Any value, kept as written.
    Anything,
}

/// One field of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// For people who hover over it in an editor.
    pub(crate) about: &'static str,
}

/// A field that may be absent.
pub(crate) const fn may(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, required: false, about }
}

/// A field that must be there.
pub(crate) const fn must(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, required: true, about }
}

impl Shape {
    /// Whether a value of this kind can have this shape at all.
    pub(crate) fn admits(&self, node: &Node) -> bool {
        match self {
            Self::Text(_) | Self::Word(_) => matches!(node.value, Value::Text(_)),
            Self::Flag => matches!(node.value, Value::Flag(_)),
            Self::Whole(..) | Self::Signed | Self::Share(_) => matches!(node.value, Value::Number(_)),
            Self::List(_) => matches!(node.value, Value::List(_)),
            Self::Table(..) | Self::Object(_) | Self::FreeMap => matches!(node.value, Value::Map(_)),
            Self::JsonSchema => matches!(node.value, Value::Map(_) | Value::Flag(_)),
            Self::Anything => true,
            Self::Either(shapes) => shapes.iter().any(|shape| shape.admits(node)),
        }
    }

    /// What is expected, for messages.
    pub(crate) fn expects(&self) -> String {
        match self {
            Self::Text(_) | Self::Word(_) => "text".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Whole(..) | Self::Signed => "a whole number".to_owned(),
            Self::Share(_) => "a number".to_owned(),
            Self::List(item) => format!("a list of {}", item.plural()),
            Self::Table(..) | Self::Object(_) | Self::FreeMap => "a map".to_owned(),
            Self::JsonSchema => "a JSON Schema".to_owned(),
            Self::Anything => "a value".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::expects).collect::<Vec<_>>().join(" or "),
        }
    }

    fn plural(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Word(_) => "texts",
            Self::Object(_) => "maps",
            _ => "values",
        }
    }
}
