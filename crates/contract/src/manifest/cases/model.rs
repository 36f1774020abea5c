//! What a case file says.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::reading::fault::{Fault, FaultCode};
use crate::reading::tree::Mark;
use crate::{ActionName, PluginId};

/// The cases of one file. What the file says for all of them is in each of them already.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// What the cases are about.
    pub description: Option<String>,
    /// In the order of the text.
    pub cases: Vec<Case>,
}

/// One case: what is done with a plugin that was loaded for it, and what is to come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Unique in its file.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Why it is not run, if it is not.
    pub skip: Option<String>,
    /// Laid over the operator's configuration, before the plugin is loaded.
    pub config: Map<String, Value>,
    /// Calls before; one that fails ends the case.
    pub setup: Vec<Step>,
    /// The call that the case is about. Without one it is about loading with this configuration.
    pub act: Option<Step>,
    /// What a case without a call expects of loading.
    pub expect: Option<Expectation>,
    /// Calls after, which look at what the call has done.
    pub verify: Vec<Step>,
    /// Calls at the end, whatever has happened before.
    pub cleanup: Vec<Step>,
    /// Time for setup, call and verification together; as much again for the cleanup.
    pub timeout: Duration,
    /// Where it stands.
    pub spot: Spot,
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whose action it is; `None` is the plugin under test.
    pub plugin: Option<PluginId>,
    /// The action.
    pub action: ActionName,
    /// What it gets.
    pub input: Body,
    /// What is to come back; `None` is anything but an error.
    pub expect: Option<Expectation>,
    /// Where it stands.
    pub spot: Spot,
}

/// Bytes, in one of the ways in which they can be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No bytes.
    Nothing,
    /// A value, sent as JSON without spaces.
    Json(Value),
    /// Text as it is.
    Text(String),
    /// Bytes in base64, not decoded yet.
    Base64(String, Spot),
    /// The content of a file in the plugin's folder.
    File(String, Spot),
}

/// What is to come of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// A reply that meets all of these.
    Reply(Vec<Demand>),
    /// An error.
    Error(ExpectedError),
}

/// Something that a reply has to be, and where that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// What it has to be.
    pub demanded: Demanded,
    /// Where it is written.
    pub spot: Spot,
}

/// What a reply has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Demanded {
    /// This value, as JSON. Numbers are compared by their value: 1 is 1.0.
    Json(Value),
    /// JSON that has everything that is in this value, and maybe more: fields of maps, and items of lists in their order.
    Subset(Value),
    /// Exactly this text.
    Text(String),
    /// Exactly these bytes, in base64.
    Base64(String),
    /// Exactly the content of this file in the plugin's folder.
    File(String),
    /// Text that contains all of these.
    Contains(Vec<String>),
    /// JSON that fits this JSON Schema.
    Schema(Value),
    /// Nothing at all, or something.
    Empty(bool),
}

/// What an error has to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedError {
    /// Its code: one of the contract's, or the plugin's own (`data.code` of a `plugin_error`). `None` is any.
    pub code: Option<String>,
    /// Texts that its message contains.
    pub message: Vec<String>,
}

/// A place in a case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub(super) pointer: String,
    pub(super) at: Mark,
}

impl Spot {
    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.at.line
    }

    /// A fault at this place.
    #[must_use]
    pub fn fault(&self, code: FaultCode, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::new(code, self.at, &self.pointer, message, remedy)
    }
}
