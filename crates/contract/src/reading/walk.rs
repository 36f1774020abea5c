//! Compares a tree with a shape and collects every difference.

use std::fmt;

use super::fault::{Fault, FaultCode, Faults};
use super::nearest::nearest;
use super::rule::Rule;
use super::shape::{Field, Shape};
use super::tree::{Mark, Node, Value, join};
use super::wording::{MANIFEST, Wording};

/// Where a value stands, told from the inside out. Written out for faults only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root(&'static Wording),
    Field(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    pub(crate) const ROOT: Self = Self::of(&MANIFEST);

    /// The whole of a document.
    pub(crate) const fn of(words: &'static Wording) -> Self {
        Self { parent: None, step: Step::Root(words) }
    }

    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Field(name) }
    }

    pub(crate) fn item(&'a self, number: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(number) }
    }

    /// The document that this is a place in.
    fn document(&self) -> &'static Wording {
        match (self.step, self.parent) {
            (Step::Root(words), _) => words,
            (_, Some(parent)) => parent.document(),
            (_, None) => &MANIFEST,
        }
    }

    /// What a value here is called in messages.
    fn name(&self) -> String {
        match self.step {
            Step::Root(words) => words.what.to_owned(),
            Step::Field(name) => format!("`{name}`"),
            Step::Item(number) => {
                let list = self.parent.map_or_else(String::new, |list| format!(" of {}", list.name()));
                format!("item {}{list}", number + 1)
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.parent.map_or_else(String::new, ToString::to_string);
        match self.step {
            Step::Root(_) => Ok(()),
            Step::Field(name) => f.write_str(&join(&before, name)),
            Step::Item(number) => write!(f, "{before}/{number}"),
        }
    }
}

/// Collects every difference between a value and its shape.
pub(crate) fn walk(node: &Node, shape: &Shape, place: &Place<'_>, faults: &mut Faults) {
    if !faults.have_room() {
        faults.leave_out();
        return;
    }
    if !shape.admits(node) {
        return wrong_type(node, shape, place, faults);
    }
    match shape {
        Shape::Text(rule) => {
            if let Some(Err(broken)) = node.text().map(|text| rule.check(text)) {
                let message = format!("{}: {}", place.name(), broken.message);
                faults.push(Fault::new(broken.code, node.at, &place.to_string(), message, broken.remedy));
            }
        }
        Shape::Word(words) => word(node, words, place, faults),
        Shape::Whole(least, most) => {
            let fits = node.whole().is_some_and(|number| (*least..=*most).contains(&number));
            in_range(fits, node, place, faults, || match *most {
                u64::MAX => format!("a whole number from {least} on"),
                most => format!("a whole number between {least} and {most}"),
            });
        }
        Shape::Signed => {
            let number = node.number().and_then(serde_json::Number::as_i64);
            let fits = number.is_some_and(|number| i32::try_from(number).is_ok());
            in_range(fits, node, place, faults, || "a whole number between -2147483648 and 2147483647".to_owned());
        }
        Shape::Share(most) => {
            let number = node.number().and_then(serde_json::Number::as_f64);
            let fits = number.is_some_and(|number| number > 0.0 && number <= *most);
            in_range(fits, node, place, faults, || format!("a number above 0 and up to {most}"));
        }
        Shape::List(item) => {
            for (number, node) in node.items().iter().enumerate() {
                walk(node, item, &place.item(number), faults);
            }
        }
        Shape::Table(rule, value) => {
            for entry in node.entries() {
                let place = place.field(&entry.key);
                if let Err(broken) = rule.check(&entry.key) {
                    faults.push(Fault::new(broken.code, entry.at, &place.to_string(), broken.message, broken.remedy));
                }
                walk(&entry.node, value, &place, faults);
            }
        }
        Shape::Object(fields) => object(node, fields, place, faults),
        Shape::Either(shapes) => {
            if let Some(shape) = shapes.iter().find(|shape| shape.admits(node)) {
                walk(node, shape, place, faults);
            }
        }
        Shape::Flag | Shape::FreeMap | Shape::JsonSchema | Shape::Anything => {}
    }
}

fn object(node: &Node, fields: &[Field], place: &Place<'_>, faults: &mut Faults) {
    for entry in node.entries() {
        let here = place.field(&entry.key);
        match fields.iter().find(|field| field.name == entry.key) {
            // A field with nothing behind its name is as good as absent; `missing` speaks if it is required.
            Some(_) if entry.node.value == Value::Null => {}
            Some(field) => walk(&entry.node, &field.shape, &here, faults),
            None => unknown_field(&entry.key, entry.at, fields, &here, faults),
        }
    }
    for field in fields.iter().filter(|field| field.required && node.get(field.name).is_none()) {
        let at = node.key_mark(field.name);
        missing(field.name, at, place, field.about, faults);
    }
}

/// Says that a required field is not there.
pub(crate) fn missing(name: &str, at: Mark, place: &Place<'_>, about: &str, faults: &mut Faults) {
    let message = format!("{} has no `{name}`", place.name());
    let remedy = format!("write `{name}`. {about}");
    faults.push(Fault::new(FaultCode::MissingField, at, &place.field(name).to_string(), message, remedy));
}

fn unknown_field(key: &str, at: Mark, fields: &[Field], place: &Place<'_>, faults: &mut Faults) {
    if !faults.have_room() {
        return faults.leave_out();
    }
    let shown: String = key.chars().take(64).collect();
    let names = || fields.iter().map(|field| field.name);
    let remedy = match (nearest(key, names()), place.document().free) {
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, Some(free)) if fields.len() > 16 => format!("leave it out, or put it under `{free}`"),
        (None, _) => format!("leave it out; the fields here are {}", names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("there is no field `{shown}`");
    faults.push(Fault::new(FaultCode::UnknownField, at, &place.to_string(), message, remedy));
}

fn wrong_type(node: &Node, shape: &Shape, place: &Place<'_>, faults: &mut Faults) {
    let message = format!("{} is {}, not {}", place.name(), node.kind(), shape.expects());
    let takes_text = matches!(shape, Shape::Text(_) | Shape::Word(_));
    let remedy = match (&node.value, shape) {
        (Value::Number(number), Shape::Text(Rule::Duration | Rule::SomeTime)) => {
            format!("write it with its unit: `{number}s`, `{number}ms`")
        }
        (Value::Number(number), _) if takes_text => format!("write it in quotes: \"{number}\""),
        (Value::Flag(flag), _) if takes_text => format!("write it in quotes: \"{flag}\""),
        (Value::Text(_), Shape::Flag) => "write true or false, without quotes".to_owned(),
        (Value::Text(_), Shape::List(_)) => "write it as a list: one line per item, each with `- ` first".to_owned(),
        _ => format!("write {}", shape.expects()),
    };
    faults.push(Fault::new(FaultCode::WrongType, node.at, &place.to_string(), message, remedy));
}

fn word(node: &Node, words: &super::words::Words, place: &Place<'_>, faults: &mut Faults) {
    let Some(text) = node.text() else { return };
    if words.words.contains(&text) {
        return;
    }
    let shown: String = text.chars().take(64).collect();
    let known = words.words.join(", ");
    let remedy = match nearest(text, words.words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Known are {known}"),
        None => format!("write one of {known}"),
    };
    let message = match words.code {
        FaultCode::UnsupportedType | FaultCode::UnsupportedRuntime => format!("unsupported {} `{shown}`", words.what),
        _ => format!("`{shown}` is no {}", words.what),
    };
    faults.push(Fault::new(words.code, node.at, &place.to_string(), message, remedy));
}

fn in_range(fits: bool, node: &Node, place: &Place<'_>, faults: &mut Faults, wanted: impl FnOnce() -> String) {
    if fits {
        return;
    }
    let number = node.number().map(ToString::to_string).unwrap_or_default();
    let message = format!("{} is {number}, which is out of range", place.name());
    faults.push(Fault::new(FaultCode::OutOfRange, node.at, &place.to_string(), message, format!("write {}", wanted())));
}
