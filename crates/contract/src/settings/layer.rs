//! One source of settings.

use std::collections::BTreeMap;

use super::expand::expand;
use super::variable::Assignment;
use super::{VARIABLE_PREFIX, variable};
use crate::reading::fault::{Fault, Faults};
use crate::reading::tree::Node;
use crate::reading::wording::SETTINGS;
use crate::reading::yaml;

/// One source of settings: a file, a variable of the environment, or an assignment of the command line.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) name: String,
    pub(super) content: Content,
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Could not be read at all.
    Nothing,
    /// A file: with its variables put in, and as it is written.
    Tree { expanded: Node, written: Node },
    /// One value at one place.
    Value(Assignment),
}

impl Layer {
    /// A file. `name` is how messages call it; `.json` is read as JSON, everything else as YAML 1.2. `variables` are put
    /// in where the file says `${NAME}`.
    ///
    /// The limits are those of manifests.
    #[must_use]
    pub fn file(name: &str, text: &[u8], variables: &BTreeMap<String, String>) -> Self {
        let mut faults = Faults::default();
        let json = name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
        let content = match yaml::read_as(&SETTINGS, text, json, &mut faults) {
            Some(written) => {
                let mut expanded = written.clone();
                expand(&mut expanded, variables, &mut faults);
                Content::Tree { expanded, written }
            }
            None => Content::Nothing,
        };
        Self { name: name.to_owned(), content, faults: faults.finish() }
    }

    /// A variable of the environment: `MIDPLANE__LOAD__AUTO=true` is `load.auto`. Two underscores separate the names of
    /// fields, capital letters are as good as small ones, and in names that are free (plugins' ids) `_` stands for `-`
    /// and `.` as well where a layer below has such a name. The value is read as YAML. `None` for every other variable.
    #[must_use]
    pub fn variable(name: &str, value: &str) -> Option<Self> {
        let path = name.strip_prefix(VARIABLE_PREFIX)?;
        Some(Self::assigned(name.to_owned(), variable::of_variable(path, value)))
    }

    /// An assignment of the command line: `load.auto=true`, or with a JSON pointer where a name has a dot:
    /// `/plugins/my.plugin/enabled=false`. The value is read as YAML.
    #[must_use]
    pub fn assignment(text: &str) -> Self {
        let shown = text.split_once('=').map_or(text, |(path, _)| path);
        Self::assigned(format!("--set {shown}"), variable::of_assignment(text))
    }

    fn assigned(name: String, assignment: Result<Assignment, Box<Fault>>) -> Self {
        match assignment {
            Ok(assignment) => Self { name, content: Content::Value(assignment), faults: Vec::new() },
            Err(fault) => Self { name, content: Content::Nothing, faults: vec![*fault] },
        }
    }
}
