//! What came of all checks and cases.

use serde::Serialize;

use super::junit;
use super::verdict::{Outcome, Verdict, time};

/// What came of all checks and cases of one plugin.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The plugin's id.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// Runtime and placement that it was tested in, `wasm/in-process` for example; `None` when it was never loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Its folder.
    pub folder: String,
    /// How many are as they should be.
    pub passed: usize,
    /// How many are not.
    pub failed: usize,
    /// How many were not run.
    pub skipped: usize,
    /// Whether somebody ended it before all had been run.
    pub ended_early: bool,
    /// How long all of it took, in milliseconds.
    pub took_ms: f64,
    /// Each of them, in the order in which they were run.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// Counts the verdicts.
    pub(super) fn count(mut self) -> Self {
        let count =
            |wanted: fn(&Outcome) -> bool| self.verdicts.iter().filter(|verdict| wanted(&verdict.outcome)).count();
        let passed = count(|outcome| matches!(outcome, Outcome::Passed));
        let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped { .. }));
        (self.passed, self.failed, self.skipped) = (passed, failed, skipped);
        self
    }

    /// Whether nothing failed and everything was run that was to be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed == 0 && !self.ended_early
    }

    /// The verdict of this name, the first of them.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.name == name)
    }

    /// What is tested, in one line.
    #[must_use]
    pub fn title(&self) -> String {
        let runtime = self.runtime.as_ref().map(|runtime| format!(" ({runtime})")).unwrap_or_default();
        format!("{} {}{runtime}", self.plugin, self.version)
    }

    /// The numbers, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        let early = if self.ended_early { ", ended early" } else { "" };
        format!("{} passed, {} failed{skipped}{early} in {}", self.passed, self.failed, time(self.took_ms))
    }

    /// Everything for people: each verdict below its group, and the numbers at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.title();
        let mut group = "";
        for verdict in &self.verdicts {
            if verdict.group != group {
                group = &verdict.group;
                text.push_str(&format!("\n\n{group}"));
            }
            text.push_str(&format!("\n  {}", verdict.text().replace('\n', "\n  ")));
        }
        format!("{text}\n\n{}\n", self.summary())
    }

    /// The same for programs, as one JSON document.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The same as JUnit XML, which build servers read: a suite for each group.
    #[must_use]
    pub fn junit(&self) -> String {
        junit::write(self)
    }
}
