//! One thing that is wrong with a plugin, wherever it was found: in its manifest, its files, or by the host.

use midplane::contract::manifest::{Fault, Severity};
use midplane::{Code, Error};
use serde::Serialize;
use serde_json::Value;

use super::{Shown, Source};

/// A fault of the manifest, or a refusal of the host; as JSON shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// Stable name of the fault.
    pub(super) code: String,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) remedy: String,
    /// Which field, as a JSON pointer; empty for the whole.
    pub(super) path: String,
    /// From 1; 0 where it has no place in the text.
    pub(super) line: usize,
    /// From 1; 0 where it has no place in the text.
    pub(super) column: usize,
}

impl Finding {
    /// A fault; one that was found outside the text gets the place of the field that it is about.
    pub(crate) fn of_fault(fault: &Fault, source: &Source) -> Self {
        let found = Self {
            code: fault.code.to_string(),
            severity: fault.severity,
            message: fault.message.clone(),
            remedy: fault.remedy.clone(),
            path: fault.path.clone(),
            line: fault.line,
            column: fault.column,
        };
        if found.line > 0 || found.path.is_empty() { found } else { found.at(source, &[&fault.path]) }
    }

    /// A reason why the host would not load it. A configuration that nobody gave yet is only a warning.
    pub(crate) fn of_refusal(error: &Error, configured: bool, source: &Source) -> Self {
        let record = error.record();
        let severity = match record.code {
            Code::ConfigInvalid if !configured => Severity::Warning,
            _ => Severity::Error,
        };
        let found = Self {
            code: record.code.to_string(),
            severity,
            message: record.message.clone(),
            remedy: record.remedy.clone().unwrap_or_default(),
            path: String::new(),
            line: 0,
            column: 0,
        };
        let fields = fields(error);
        found.at(source, &fields.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The same at the first of these fields that is written.
    fn at(mut self, source: &Source, fields: &[&str]) -> Self {
        if let Some((field, (line, column))) = fields.iter().find_map(|field| Some((field, source.place(field)?))) {
            (self.path, self.line, self.column) = ((*field).to_owned(), line, column);
        }
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Shows it to people, with the lines around it.
    pub(crate) fn print(&self, source: &Source) {
        Shown::of_finding(self, source).print();
    }
}

/// Where a refusal's reason may be written, in every spelling, the most exact place first.
fn fields(error: &Error) -> Vec<String> {
    let places: &[&str] = match error.code() {
        Code::LimitNotEnforceable => &["/limits", "/spec/limits", "/resources", "/placement", "/spec/placement"],
        Code::ConfigInvalid => &["/config", "/spec/config", "/config_schema", "/spec/config_schema"],
        Code::UnsupportedRuntime => &["/entry/runtime", "/spec/entry/runtime", "/spec/runtime", "/spec/type", "/entry"],
        _ => &["/placement", "/spec/placement", "/entry", "/spec/entry_point"],
    };
    let which = error.record().data.get("which").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = which.filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for name in names {
        for limits in ["/limits", "/spec/limits"] {
            fields.extend([format!("{limits}/{name}"), format!("{limits}/{name}_ms")]);
        }
        fields.extend([format!("/resources/max_{name}_mb"), format!("/resources/max_{name}")]);
    }
    fields.extend(places.iter().map(|place| (*place).to_owned()));
    fields
}
