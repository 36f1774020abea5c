//! Text to tree, within a budget: 1 MiB, 64 levels, 50,000 values, aliases counted as often as they are used.

mod indent;
mod text;

use std::collections::{HashMap, HashSet};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, Tag};

use super::fault::{Fault, FaultCode, Faults};
use super::scalar;
use super::tree::{Entry, Mark, Node, Value, join};
use super::wording::{MANIFEST, Wording};
use crate::defaults::{MANIFEST_DEPTH, MANIFEST_SIZE};

/// Values in one document at most.
const VALUES: usize = 50_000;

/// Reads a manifest as YAML or, when `json` is set, only as JSON. `None` when there is no tree at all; the faults then
/// say why.
pub(crate) fn read(text: &[u8], json: bool, faults: &mut Faults) -> Option<Node> {
    read_as(&MANIFEST, text, json, faults)
}

/// Reads another document likewise.
pub(crate) fn read_as(words: &Wording, text: &[u8], json: bool, faults: &mut Faults) -> Option<Node> {
    match read_or_fault(words, text, json, faults) {
        Ok(node) => Some(node),
        Err(fault) => {
            faults.push(*fault);
            None
        }
    }
}

type Outcome<T> = Result<T, Box<Fault>>;

fn stop<T>(code: FaultCode, at: Mark, message: impl Into<String>, remedy: impl Into<String>) -> Outcome<T> {
    Err(Box::new(Fault::new(code, at, "", message, remedy)))
}

fn too_deep<T>(words: &Wording, at: Mark) -> Outcome<T> {
    let message = format!("lists and maps are nested more than {MANIFEST_DEPTH} deep");
    stop(FaultCode::TooLarge, at, message, format!("flatten {}", words.what))
}

fn read_or_fault(words: &Wording, bytes: &[u8], json: bool, faults: &mut Faults) -> Outcome<Node> {
    if bytes.len() > MANIFEST_SIZE {
        let message = format!("{} has more than {MANIFEST_SIZE} bytes", words.what);
        return stop(FaultCode::TooLarge, Mark::START, message, words.large);
    }
    let text = text::utf8(words, bytes)?;
    if json {
        text::check_json(text)?;
    }
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MANIFEST_DEPTH + 1,
        block_nesting_limit: MANIFEST_DEPTH + 1,
    };
    let mut builder = Builder::new(*words, faults);
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                let mark = error.marker();
                let at = Mark { line: mark.line().max(1), column: mark.col() + 1 };
                if *error.kind() == ErrorKind::RecursionLimitExceeded {
                    return too_deep(words, at);
                }
                let what = if json { "JSON" } else { "YAML" };
                let message = format!("this is not {what}: {}", error.info());
                let remedy = indent::remedy(text, at.line).unwrap_or_else(|| "correct the text".to_owned());
                return stop(FaultCode::Syntax, at, message, remedy);
            }
        }
    }
    match builder.root {
        Some(root) => Ok(root),
        None => stop(FaultCode::Syntax, Mark::START, format!("{} is empty", words.what), words.empty),
    }
}

/// A list or map that is not complete yet.
struct Open {
    at: Mark,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashSet<String>, key: Option<(String, Mark)> },
}

struct Builder<'f> {
    words: Wording,
    faults: &'f mut Faults,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    copied: usize,
    documents: usize,
    root: Option<Node>,
}

impl<'f> Builder<'f> {
    fn new(words: Wording, faults: &'f mut Faults) -> Self {
        let (open, anchors) = (Vec::new(), HashMap::new());
        Self { words, faults, open, anchors, values: 0, copied: 0, documents: 0, root: None }
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Outcome<()> {
        let at = Mark { line: span.start.line().max(1), column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return stop(FaultCode::Syntax, at, "a second document begins here", "keep one document per file");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || self.tag_says_text(tag.as_deref(), at);
                return self.scalar(&text, is_text, anchor, at);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag_says_text(tag.as_deref(), at);
                return self.begin(Kind::List(Vec::new()), anchor, at);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag_says_text(tag.as_deref(), at);
                let kind = Kind::Map { entries: Vec::new(), seen: HashSet::new(), key: None };
                return self.begin(kind, anchor, at);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            Event::Alias(id) => return self.alias(id, at),
            _ => {}
        }
        Ok(())
    }

    /// Tags of the core schema are understood, `!!str` among them; others mean nothing here and are said to.
    fn tag_says_text(&mut self, tag: Option<&Tag>, at: Mark) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() {
            let message = format!("the tag `{tag}` means nothing here");
            self.fault(FaultCode::Syntax, at, message, "leave the tag out");
        }
        tag.is_yaml_core_schema_tag("str")
    }

    fn scalar(&mut self, text: &str, is_text: bool, anchor: usize, at: Mark) -> Outcome<()> {
        self.count(1, at)?;
        if self.wants_key() {
            return self.key(text, at);
        }
        let value = if is_text { Some(Value::Text(text.to_owned())) } else { scalar::resolve(text) };
        let value = value.unwrap_or_else(|| {
            let message = format!("`{text}` is not a number that JSON can express");
            self.fault(FaultCode::InvalidValue, at, message, "write a finite number");
            Value::Null
        });
        self.place(Node { at, value }, anchor)
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, at: Mark) -> Outcome<()> {
        let Some(Open { kind: Kind::Map { seen, key, .. }, .. }) = self.open.last_mut() else { return Ok(()) };
        let first = seen.insert(text.to_owned());
        *key = Some((text.to_owned(), at));
        if !first {
            let message = format!("`{text}` is written twice in the same map");
            self.fault(FaultCode::DuplicateKey, at, message, "keep one of the two");
        }
        if text == "<<" {
            let message = "merge keys (`<<`) are not part of YAML 1.2";
            self.fault(FaultCode::Syntax, at, message, "write the fields out");
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind, anchor: usize, at: Mark) -> Outcome<()> {
        self.count(1, at)?;
        if self.wants_key() {
            return stop(FaultCode::Syntax, at, "a list or map cannot be a field's name", "write the name as text");
        }
        self.check_depth(self.open.len() + 1, at)?;
        self.open.push(Open { at, anchor, kind });
        Ok(())
    }

    fn end(&mut self) -> Outcome<()> {
        let Some(Open { at, anchor, kind, .. }) = self.open.pop() else { return Ok(()) };
        let value = match kind {
            Kind::List(items) => Value::List(items),
            Kind::Map { entries, .. } => Value::Map(entries),
        };
        self.place(Node { at, value }, anchor)
    }

    fn alias(&mut self, id: usize, at: Mark) -> Outcome<()> {
        let Some(node) = self.anchors.get(&id) else {
            return stop(FaultCode::Syntax, at, "the alias refers to what it stands in", "write the value out");
        };
        let weight = node.weight();
        let node = node.clone();
        self.check_depth(self.open.len() + weight.levels - 1, at)?;
        self.copy(weight.values, weight.bytes, at)?;
        if self.wants_key() {
            let Some(text) = node.text() else {
                return stop(FaultCode::Syntax, at, "a list or map cannot be a field's name", "write the name as text");
            };
            return self.key(text, at);
        }
        self.place(Node { at, value: node.value }, 0)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Outcome<()> {
        if anchor != 0 {
            let weight = node.weight();
            self.copy(weight.values, weight.bytes, node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { kind: Kind::List(items), .. }) => items.push(node),
            Some(Open { kind: Kind::Map { entries, key, .. }, .. }) => {
                if let Some((key, at)) = key.take() {
                    entries.push(Entry { key, at, node });
                }
            }
        }
        Ok(())
    }

    /// The path of the value that comes next. Long in hostile documents, so it is made for faults only.
    fn path(&self) -> String {
        self.open.iter().fold(String::new(), |path, open| match &open.kind {
            Kind::List(items) => format!("{path}/{}", items.len()),
            Kind::Map { key: Some((key, _)), .. } => join(&path, key),
            Kind::Map { .. } => path,
        })
    }

    fn fault(&mut self, code: FaultCode, at: Mark, message: impl Into<String>, remedy: &str) {
        if self.faults.have_room() {
            self.faults.push(Fault::new(code, at, &self.path(), message, remedy));
        } else {
            self.faults.leave_out();
        }
    }

    fn check_depth(&self, levels: usize, at: Mark) -> Outcome<()> {
        if levels <= MANIFEST_DEPTH {
            return Ok(());
        }
        too_deep(&self.words, at)
    }

    fn copy(&mut self, values: usize, bytes: usize, at: Mark) -> Outcome<()> {
        self.copied += bytes;
        self.count(values, at)?;
        if self.copied <= MANIFEST_SIZE {
            return Ok(());
        }
        stop(FaultCode::TooLarge, at, "the aliases unfold to more than 1 MiB", "write the values out, once each")
    }

    fn count(&mut self, values: usize, at: Mark) -> Outcome<()> {
        self.values += values;
        if self.values <= VALUES {
            return Ok(());
        }
        let message = format!("{} has more than {VALUES} values, aliases unfolded", self.words.what);
        stop(FaultCode::TooLarge, at, message, self.words.large)
    }
}

#[cfg(test)]
mod tests;
