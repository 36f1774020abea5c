//! What is wrong with a document: where, what, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tree::Mark;
use crate::{Code, Error};

/// Faults kept of one manifest at most; one more line then says how many were left out.
pub const FAULTS_KEPT: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable name of the fault; programs compare this.
    pub code: FaultCode,
    /// Whether the plugin can be used nevertheless.
    pub severity: Severity,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it, for people.
    pub remedy: String,
    /// Which field, as a JSON pointer (RFC 6901); empty for the whole document.
    pub path: String,
    /// Line, from 1; 0 where the fault has no place in the text.
    pub line: usize,
    /// Column in characters, from 1; 0 where the fault has no place in the text.
    pub column: usize,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plugin cannot be used.
    Error,
    /// The plugin can be used.
    Warning,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// The stable name of a fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum FaultCode { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl FaultCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

codes! {
    /// Not YAML, or not JSON. Nothing else can then be checked.
    Syntax = "syntax",
    /// Larger, deeper or with more values than is read.
    TooLarge = "too_large",
    /// A field is written twice.
    DuplicateKey = "duplicate_key",
    /// No field of this name; the remedy names the nearest one.
    UnknownField = "unknown_field",
    /// A required field is not there.
    MissingField = "missing_field",
    /// A value of another type.
    WrongType = "wrong_type",
    /// An id that breaks the rule for ids.
    InvalidId = "invalid_id",
    /// A version that is not semantic.
    InvalidVersion = "invalid_version",
    /// A range that cannot be read.
    InvalidRange = "invalid_range",
    /// A permission that cannot be read.
    InvalidPermission = "invalid_permission",
    /// A duration that cannot be read.
    InvalidDuration = "invalid_duration",
    /// A size that cannot be read.
    InvalidSize = "invalid_size",
    /// Another value that breaks its rule.
    InvalidValue = "invalid_value",
    /// A number that is too small or too large, or a minimum above its maximum.
    OutOfRange = "out_of_range",
    /// A word that is none of those possible.
    UnknownWord = "unknown_word",
    /// A plugin type that does not exist.
    UnsupportedType = "unsupported_plugin_type",
    /// A runtime that does not exist.
    UnsupportedRuntime = "unsupported_runtime",
    /// A contract version that this host does not speak.
    UnsupportedApiVersion = "unsupported_api_version",
    /// A path that is absolute, climbs out of the plugin's folder or hides that it does.
    PathLeavesFolder = "path_leaves_folder",
    /// Two fields that say the same thing, or contradict each other.
    Conflict = "conflict",
    /// A schema that is not a JSON Schema.
    InvalidSchema = "invalid_schema",
    /// A permission that neither the host nor an application knows. It is denied always.
    UnknownPermission = "unknown_permission",
    /// The code is not there, or is not a file inside the folder.
    MissingCode = "missing_code",
    /// The plugin excludes this machine.
    UnsupportedPlatform = "unsupported_platform",
    /// The plugin excludes this version of the contract.
    VersionMismatch = "version_mismatch",
    /// Understood, and without effect.
    NotUsed = "not_used",
    /// Faults that were left out.
    More = "more",
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fault {
    /// An error at a place.
    pub(crate) fn new(
        code: FaultCode,
        at: Mark,
        path: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            remedy: remedy.into(),
            path: path.to_owned(),
            line: at.line,
            column: at.column,
        }
    }

    /// An error that has no place in the text, for what is found outside of it.
    #[must_use]
    pub fn without_place(code: FaultCode, path: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(code, Mark::NOWHERE, path, message, remedy)
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether the plugin cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// `FILE:LINE:COLUMN: MESSAGE`, without the numbers where there are none.
    #[must_use]
    pub fn in_file(&self, file: &str) -> String {
        match self.line {
            0 => format!("{file}: {}", self.message),
            line => format!("{file}:{line}:{}: {}", self.column, self.message),
        }
    }
}

/// The faults as one error: `manifest_invalid`, or `unsupported_runtime` when nothing else is wrong. Its message has
/// one line per fault that is an error, with file, line and column; `data.faults` has them all, `data.file` the file.
#[must_use]
pub fn into_error(file: &str, faults: &[Fault]) -> Error {
    let errors: Vec<&Fault> = faults.iter().filter(|fault| fault.is_error()).collect();
    let only_runtime = !errors.is_empty()
        && errors.iter().all(|f| matches!(f.code, FaultCode::UnsupportedRuntime | FaultCode::UnsupportedType));
    let code = if only_runtime { Code::UnsupportedRuntime } else { Code::ManifestInvalid };
    let message = match errors.as_slice() {
        [] => format!("{file} is not a manifest"),
        [one] => one.in_file(file),
        many => many.iter().fold(format!("{file} has {} faults", many.len()), |text, fault| {
            format!("{text}\n{}", fault.in_file(file))
        }),
    };
    let remedy = match errors.as_slice() {
        [one] => one.remedy.clone(),
        _ => format!("correct the faults; `midplane check` on {file} shows a remedy for each"),
    };
    Error::new(code, message)
        .remedy(remedy)
        .with("file", file)
        .with("faults", serde_json::to_value(faults).unwrap_or(Value::Null))
}

/// Collects faults, at most [`FAULTS_KEPT`] of them.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    left_out: usize,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        if self.have_room() { self.kept.push(fault) } else { self.left_out += 1 }
    }

    /// Whether one more would be kept. Ask before making an expensive one.
    pub(crate) fn have_room(&self) -> bool {
        self.kept.len() < FAULTS_KEPT
    }

    /// Counts one that nobody made.
    pub(crate) fn leave_out(&mut self) {
        self.left_out += 1;
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.left_out > 0 || self.kept.iter().any(Fault::is_error)
    }

    /// In the order of the text.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        self.kept.sort_by_key(|fault| (fault.line, fault.column));
        if self.left_out > 0 {
            self.kept.push(Fault::without_place(
                FaultCode::More,
                "",
                format!("{} more faults are not shown", self.left_out),
                "correct those shown first",
            ));
        }
        self.kept
    }
}
