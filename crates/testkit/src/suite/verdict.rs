//! What came of one check or case.

use std::fmt::Write;

use serde::Serialize;

/// What came of one check or case.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// `conformance`, or the case file's name from the plugin's folder on.
    pub group: String,
    /// Its name; of a case, as its author wrote it. Stable from run to run.
    pub name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The line of the case in its file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What is worth knowing although it passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How long it took, loading included, in milliseconds.
    pub took_ms: f64,
}

/// How it ended.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed(Box<Failure>),
    /// It was not run.
    Skipped {
        /// Why not.
        reason: String,
    },
}

/// Why something failed.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// Which kind of failure, for programs.
    pub kind: FailureKind,
    /// What happened, for people.
    pub reason: String,
    /// The line in the case file that was not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_line: Option<usize>,
    /// What should have been, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What went wrong beside it, in the cleanup for example.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// Which kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// An answer came, and it was another than expected.
    WrongAnswer,
    /// An error came where a reply was expected.
    Error,
    /// No answer came in time.
    Timeout,
    /// The plugin panicked, trapped, or its process died.
    Crash,
    /// The plugin could not be loaded, started or unloaded.
    Lifecycle,
    /// Something is left behind, or grows.
    Leak,
}

impl FailureKind {
    /// Its name, as JSON shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongAnswer => "wrong_answer",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Lifecycle => "lifecycle",
            Self::Leak => "leak",
        }
    }
}

impl Failure {
    /// A failure with a reason and nothing else.
    pub(super) fn new(kind: FailureKind, reason: impl Into<String>) -> Box<Self> {
        let reason = reason.into();
        Box::new(Self { kind, reason, at_line: None, expected: None, got: None, remedy: None, also: Vec::new() })
    }

    /// The same with what should have been and what was.
    pub(super) fn instead(mut self: Box<Self>, expected: impl Into<String>, got: impl Into<String>) -> Box<Self> {
        (self.expected, self.got) = (Some(expected.into()), Some(got.into()));
        self
    }

    /// The same with what to do about it.
    pub(super) fn remedy(mut self: Box<Self>, remedy: impl Into<String>) -> Box<Self> {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same, said to be in or after something.
    pub(super) fn in_part(mut self: Box<Self>, part: &str) -> Box<Self> {
        self.reason = format!("{part}: {}", self.reason);
        self
    }

    /// The same at a line, unless it has one.
    pub(super) fn at(mut self: Box<Self>, line: usize) -> Box<Self> {
        self.at_line.get_or_insert(line);
        self
    }

    /// The reason, and below it what was expected, what came, and what else there is to say.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.reason.clone();
        let lines = [("expected", &self.expected), ("got", &self.got), ("remedy", &self.remedy)];
        for (name, value) in lines {
            if let Some(value) = value {
                // Writing into a text does not fail.
                let _ = write!(text, "\n{name}: {}", value.replace('\n', "\n          "));
            }
        }
        self.also.iter().for_each(|also| {
            let _ = write!(text, "\nand also: {also}");
        });
        text
    }
}

impl Verdict {
    /// Whether it failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// One line, and indented below it why it failed or was skipped, and notes.
    #[must_use]
    pub fn text(&self) -> String {
        let (word, mut below) = match &self.outcome {
            Outcome::Passed => ("ok", Vec::new()),
            Outcome::Failed(failure) => {
                let place = failure.at_line.or(self.line).map(|line| format!("{}:{line}: ", self.group));
                ("FAILED", vec![format!("{}{}", place.unwrap_or_default(), failure.text())])
            }
            Outcome::Skipped { reason } => ("skipped", vec![reason.clone()]),
        };
        below.extend(self.notes.iter().map(|note| format!("note: {note}")));
        let mut text = format!("{word:<8}{}", self.name);
        if !matches!(self.outcome, Outcome::Skipped { .. }) {
            let _ = write!(text, " ({})", time(self.took_ms));
        }
        for part in below {
            let _ = write!(text, "\n        {}", part.replace('\n', "\n        "));
        }
        text
    }
}

/// Milliseconds for people.
pub(super) fn time(millis: f64) -> String {
    match millis {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}
