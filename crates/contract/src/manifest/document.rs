//! A manifest's tree, with the differences between the spellings taken away: parts are asked for by their flat name.

use super::fields::{ENVELOPE_ONLY, ENVELOPED, FLAT, PACKAGE_ONLY};
use super::{Files, Named, words};
use crate::RuntimeKind;
use crate::reading::rule::Rule;
use crate::reading::shape::Shape;
use crate::reading::tree::{Mark, Node, Value, join};

/// The places where a working folder and an executable may be written.
const WORKDIR: [&[&str]; 4] =
    [&["entry", "workdir"], &["entry", "work_dir"], &["runtime", "workdir"], &["runtime", "work_dir"]];
const EXECUTABLE: [&[&str]; 2] = [&["entry", "executable"], &["runtime", "executable"]];

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spelling {
    /// `id`, `name`, `version`, `entry`, … side by side (requirement 000).
    Flat,
    /// `api_version`, `kind`, `metadata`, `spec` (requirement 003).
    Enveloped,
    /// As flat, with the fields of a package repository (requirement 004). The id may be missing and is the name then;
    /// so may the entry, since a repository knows packages without their code.
    Package,
}

/// A tree and the way it is spelled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) root: &'a Node,
    pub(super) spelling: Spelling,
}

impl<'a> Document<'a> {
    /// Recognizes the spelling by the fields that only one of them has.
    pub(super) fn of(root: &'a Node) -> Self {
        let has = |names: &[&str]| root.entries().iter().any(|entry| names.contains(&entry.key.as_str()));
        let map_of_dependencies = root.get("dependencies").is_some_and(|node| matches!(node.value, Value::Map(_)));
        let spelling = if has(ENVELOPE_ONLY) {
            Spelling::Enveloped
        } else if has(PACKAGE_ONLY) || map_of_dependencies {
            Spelling::Package
        } else {
            Spelling::Flat
        };
        Self { root, spelling }
    }

    pub(super) fn shape(&self) -> Shape {
        match self.spelling {
            Spelling::Flat | Spelling::Package => Shape::Object(FLAT),
            Spelling::Enveloped => Shape::Object(ENVELOPED),
        }
    }

    /// The map that holds a part; the empty name is the document itself.
    fn home(&self, part: &str) -> &'static str {
        match (self.spelling, part) {
            (Spelling::Flat | Spelling::Package, _) => "",
            (_, "dependencies" | "permissions" | "resources" | "compatibility" | "api_version" | "kind") => "",
            (_, "id" | "name" | "version" | "description" | "author" | "license") => "metadata",
            (_, "homepage" | "repository" | "tags" | "labels") => "metadata",
            _ => "spec",
        }
    }

    fn home_node(&self, part: &str) -> Option<&'a Node> {
        match self.home(part) {
            "" => Some(self.root),
            home => self.root.get(home),
        }
    }

    /// A part by its flat name, or a field in it.
    pub(super) fn part(&self, path: &[&str]) -> Option<&'a Node> {
        self.home_node(path.first()?)?.at(path)
    }

    /// Its path as a JSON pointer.
    pub(super) fn path(&self, path: &[&str]) -> String {
        let home = path.first().map_or("", |part| self.home(part));
        let start = if home.is_empty() { String::new() } else { join("", home) };
        path.iter().fold(start, |pointer, step| join(&pointer, step))
    }

    /// Where its key stands; where it is missing, the map that lacks it.
    pub(super) fn mark(&self, path: &[&str]) -> Mark {
        let Some(home) = path.first().and_then(|part| self.home_node(part)) else { return self.root.at };
        let mut node = home;
        let mut mark = home.at;
        for step in path {
            mark = node.key_mark(step);
            match node.get(step) {
                Some(next) => node = next,
                None => return mark,
            }
        }
        mark
    }

    pub(super) fn text(&self, path: &[&str]) -> Option<&'a str> {
        self.part(path)?.text()
    }

    /// The path of the code, under either of its names.
    pub(super) fn main(&self) -> Option<&'a str> {
        let written = self.text(&["entry", "main"]).or_else(|| self.text(&["entry_point"]));
        written.or_else(|| self.entry("executable")?.text()).or_else(|| self.first_endpoint()?.text())
    }

    /// What stands for the code of a remote plugin that names several endpoints.
    fn first_endpoint(&self) -> Option<&'a Node> {
        self.entry("endpoints")?.items().first()
    }

    /// A field of `entry`. The envelope's `runtime` map says the same things.
    pub(super) fn entry(&self, field: &str) -> Option<&'a Node> {
        self.part(&["entry", field]).or_else(|| self.part(&["runtime", field]))
    }

    /// The word for the runtime that was written most exactly; in the envelope `type` is the least exact.
    pub(super) fn runtime_word(&self) -> Option<&'a str> {
        let written = self.text(&["entry", "runtime"]);
        match self.spelling {
            Spelling::Flat | Spelling::Package => written,
            Spelling::Enveloped => written
                .or_else(|| self.text(&["runtime"]))
                .or_else(|| self.text(&["runtime", "name"]))
                .or_else(|| self.text(&["type"])),
        }
    }

    /// The files that are named by paths which follow the rule for paths.
    pub(super) fn files(&self) -> Files {
        let named = |path: &[&str]| {
            let node = self.part(path)?;
            let text = node.text().filter(|text| Rule::Path.check(text).is_ok())?;
            Some(Named { path: text.to_owned(), pointer: self.path(path), at: node.at })
        };
        let main = named(&["entry", "main"]).or_else(|| named(&["entry_point"]));
        // An executable follows no rule for paths: it may be a name in `PATH`.
        let executable = EXECUTABLE.iter().find_map(|path| {
            let node = self.part(path)?;
            Some(Named { path: node.text()?.to_owned(), pointer: self.path(path), at: node.at })
        });
        let endpoint = || {
            let node = self.first_endpoint()?;
            Some(Named { path: node.text()?.to_owned(), pointer: self.path(&["entry", "endpoints"]), at: node.at })
        };
        Files {
            remote: self.runtime_word().and_then(words::runtime) == Some(RuntimeKind::Remote)
                || (main.is_none() && executable.is_some()),
            main: main.or(executable).or_else(endpoint),
            workdir: WORKDIR.iter().find_map(|path| named(path)),
        }
    }

    /// The actions, wherever they are written.
    pub(super) fn actions(&self) -> &'a [Node] {
        self.either(&["actions"], &["interfaces", "actions"])
    }

    /// The file types, wherever they are written.
    pub(super) fn file_types(&self) -> &'a [Node] {
        self.either(&["file_types"], &["interfaces", "file_types"])
    }

    fn either(&self, one: &[&str], other: &[&str]) -> &'a [Node] {
        self.part(one).or_else(|| self.part(other)).map_or(&[], Node::items)
    }
}
