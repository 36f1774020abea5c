//! Test cases that an author writes beside a plugin: `tests/*.yaml`, `*.yml`, `*.json`, or `plugin.test.yaml`.
//!
//! Read as manifests are: text to a tree with places, the tree against the tables of fields, rules between fields, and
//! the tree to the model. All faults come together.

mod agree;
mod build;
mod fields;
mod model;

use crate::reading::fault::{Fault, Faults};
use crate::reading::shape::Shape;
use crate::reading::tree::Value;
use crate::reading::walk::{self, Place};
use crate::reading::wording::CASES;
use crate::reading::{schema, yaml};

pub use model::{Body, Case, CaseFile, Demand, Demanded, Expectation, ExpectedError, Spot, Step};

/// The name of a case file that stands beside the manifest, without its ending.
pub const FILE_STEM: &str = "plugin.test";
/// The folder that holds case files, inside the plugin's.
pub const FOLDER: &str = "tests";
/// The endings that case files have.
pub const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Longest timeout of a case.
pub const LONGEST: std::time::Duration = std::time::Duration::from_secs(3600);

/// What came of reading a case file.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The cases; `None` when a fault is an error.
    pub file: Option<CaseFile>,
    /// Everything that is wrong, in the order of the text.
    pub faults: Vec<Fault>,
}

/// Reads a case file. `name` is its file's name: `.json` is read as JSON, everything else as YAML 1.2.
///
/// The limits are those of manifests, [`super::parse`].
#[must_use]
pub fn parse(name: &str, text: &[u8]) -> Parsed {
    let mut faults = Faults::default();
    let json = name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
    let Some(root) = yaml::read_as(&CASES, text, json, &mut faults) else {
        return Parsed { file: None, faults: faults.finish() };
    };
    walk::walk(&root, &Shape::Object(fields::FILE), &Place::of(&CASES), &mut faults);
    if matches!(root.value, Value::Map(_)) {
        agree::agree(&root, &mut faults);
    }
    let file = if faults.has_errors() { None } else { build::file(&root) };
    Parsed { file, faults: faults.finish() }
}

/// The JSON Schema (draft 2020-12) of case files, for editors. Rules between fields are not in it.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schema::document("Midplane test cases", "tests/*.yaml or plugin.test.yaml of a Midplane plugin", fields::FILE)
}

#[cfg(test)]
mod tests;
