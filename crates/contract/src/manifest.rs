//! The manifest: one model, whatever spelling it was read from.
//!
//! Reading goes in four steps, and faults of all of them come together: text to a tree in which every value knows its
//! place (`yaml`), the tree against the tables of fields (`walk`, `fields`), rules between fields (`agree`),
//! and the tree to the model (`build`). The JSON Schema for editors comes from the same tables (`schema`).

mod agree;
mod build;
pub mod cases;
mod document;
mod fields;
mod minimal;
mod model;
mod place;
mod schema;
mod words;

pub use crate::reading::fault::{FAULTS_KEPT, Fault, FaultCode, Severity, into_error};
pub use crate::reading::quantity::{parse_duration, parse_size};
pub use document::Spelling;
pub use model::{
    Compatibility, ConnectionSpec, Dependency, DependencyKind, Discovery, Engine, Entry, FileType, InterfaceRef,
    Manifest, Network, PackageFacts, PluginType, ProcessSpec, Protocol, Reload, RemoteSpec, Resources, StateSpec,
    TlsSpec,
};
pub use place::place;
pub use schema::json_schema;
pub use words::runtime_of_file;

use crate::reading::fault::Faults;
use crate::reading::walk::{self, Place};
use crate::reading::{tree, yaml};
pub(crate) use fields::{RESOURCES as RESOURCE_FIELDS, shapes};
pub(crate) use words::{PLACEMENTS as PLACEMENT_WORDS, RUNTIMES as RUNTIME_WORDS, runtime as runtime_of_word};

use document::Document;

/// The names that a manifest's file may have, in the order in which they are looked for.
pub const FILE_NAMES: [&str; 5] = ["plugin.yaml", "plugin.yml", "plugin.json", "module.yaml", "manifest.json"];

/// What came of reading a manifest.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The manifest; `None` when a fault is an error.
    pub manifest: Option<Manifest>,
    /// Everything that is wrong, in the order of the text; warnings also where there is a manifest.
    pub faults: Vec<Fault>,
    /// How it is spelled; `None` when the text is not even YAML or JSON.
    pub spelling: Option<Spelling>,
    /// What it says about files, which only somebody who sees the folder can check.
    pub files: Files,
}

/// The files that a manifest names, as far as they can be told, also where it has faults.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The code. Inside the folder, as far as the path tells.
    pub main: Option<Named>,
    /// The working folder of a process, likewise.
    pub workdir: Option<Named>,
    /// Whether the code need not be a file of the folder: that of a remote plugin is an address, an executable may be
    /// anywhere.
    pub remote: bool,
}

/// A path in a manifest, and where it is written.
#[derive(Debug, Clone)]
pub struct Named {
    /// The path as written.
    pub path: String,
    pointer: String,
    at: tree::Mark,
}

impl Named {
    /// A fault at this place.
    #[must_use]
    pub fn fault(&self, code: FaultCode, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::new(code, self.at, &self.pointer, message, remedy)
    }
}

impl Parsed {
    /// The manifest and the warnings.
    ///
    /// # Errors
    /// `manifest_invalid` with every fault, as [`into_error`] says. `file` is how messages call the file.
    pub fn into_result(self, file: &str) -> crate::Result<(Manifest, Vec<Fault>)> {
        match self.manifest {
            Some(manifest) => Ok((manifest, self.faults)),
            None => Err(into_error(file, &self.faults)),
        }
    }
}

/// Reads a manifest. `name` is its file's name: `.json` is read as JSON, everything else as YAML 1.2.
///
/// At most [`crate::defaults::MANIFEST_SIZE`] bytes, [`crate::defaults::MANIFEST_DEPTH`] levels and 50,000 values are
/// read, aliases unfolded. Takes time and memory in proportion to that.
#[must_use]
pub fn parse(name: &str, text: &[u8]) -> Parsed {
    let mut faults = Faults::default();
    let json = name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
    let Some(root) = yaml::read(text, json, &mut faults) else {
        return Parsed { manifest: None, faults: faults.finish(), spelling: None, files: Files::default() };
    };
    let document = Document::of(&root);
    walk::walk(&root, &document.shape(), &Place::ROOT, &mut faults);
    if matches!(root.value, tree::Value::Map(_)) {
        agree::agree(&document, &mut faults);
    }
    let manifest = if faults.has_errors() { None } else { build::build(&document) };
    if manifest.is_none() && !faults.has_errors() {
        faults.push(Fault::new(
            FaultCode::InvalidValue,
            root.at,
            "",
            "the manifest passed every check and could not be read",
            "report this: it is a fault of Midplane",
        ));
    }
    Parsed { manifest, faults: faults.finish(), spelling: Some(document.spelling), files: document.files() }
}

#[cfg(test)]
mod tests;
