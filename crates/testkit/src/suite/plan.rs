//! What is run, in which order, and running it.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use midplane_contract::manifest::cases::{self, Expectation};
use midplane_contract::manifest::{Fault, into_error};
use midplane_contract::{Code, Error, Manifest, Result};
use midplane_kernel::discover;
use midplane_kernel::platform::Platform;
use serde::Serialize;

use super::checks::{self, Check, Ground};
use super::files::{self, Cases, Folder};
use super::report::Report;
use super::stage::Stage;
use super::verdict::{FailureKind, Outcome, Verdict};
use super::{CONFORMANCE, Effort, Suite, case};

/// Something that would be run.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// `conformance`, or the case file's name.
    pub group: String,
    /// Its name. The checks of single actions stand here as one where the manifest names no actions.
    pub name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The line of the case in its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Why it would be skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
}

/// One thing to run. Cases by the numbers of their file and of themselves.
#[derive(Debug, Clone)]
enum Entry {
    Check(Check),
    Case(usize, usize),
}

/// A plugin that can be tested, and what to do with it.
pub(super) struct Plan {
    pub(super) stage: Stage,
    pub(super) manifest: Manifest,
    warnings: Vec<Fault>,
    pub(super) folder: Folder,
    pub(super) files: Vec<Cases>,
    entries: Vec<Entry>,
    only: Option<String>,
}

/// What the author's cases have shown already.
#[derive(Default)]
struct Seen {
    /// Whether the plugin loads.
    loads: Option<bool>,
    /// Actions that hang or crash, or are expected to, and the case that says so.
    ends_badly: BTreeMap<String, String>,
    /// Cases that did not pass.
    failed: HashSet<(usize, usize)>,
    runtime: Option<String>,
}

/// Reads the manifest and the case files, and registers the plugin.
pub(super) fn make(suite: &Suite) -> Result<Plan> {
    let path = suite.setting.path.as_path();
    let report = discover::check(path, &Platform::anywhere())?;
    if !report.is_good() {
        return Err(into_error(&report.file.display().to_string(), &report.faults));
    }
    let bare = path.is_file() && report.spelling.is_none();
    let home = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let folder = Folder(if home.as_os_str().is_empty() { Path::new(".").into() } else { home.to_path_buf() });
    let files = match (bare, path.file_stem()) {
        (true, Some(stem)) => files::read(&folder, &format!("{}.test", stem.to_string_lossy()), false)?,
        _ => files::read(&folder, cases::FILE_STEM, true)?,
    };
    let stage = Stage::open(&suite.setting)?;
    let manifest = stage.status()?.manifest;
    let only = suite.only.clone();
    let entries = Vec::new();
    let mut plan = Plan { stage, manifest, warnings: report.faults, folder, files, entries, only };
    plan.entries = plan.choose(suite.conformance);
    if let (true, Some(only)) = (plan.entries.is_empty(), &plan.only) {
        return Err(Error::new(Code::InvalidInput, format!("no check and no case has `{only}` in its name"))
            .remedy("list them all, and choose among their names"));
    }
    Ok(plan)
}

impl Plan {
    /// The checks that say whether there is anything to work with, the cases, and then the other checks, which build on
    /// what the cases have shown.
    fn choose(&self, conformance: bool) -> Vec<Entry> {
        let declared = self.manifest.actions.iter().map(|spec| spec.name.to_string()).collect::<Vec<_>>();
        let cases = self.files.iter().enumerate();
        let cases = cases.flat_map(|(file, read)| (0..read.file.cases.len()).map(move |case| Entry::Case(file, case)));
        let (first, last) = if conformance { (checks::first(), checks::last(&declared)) } else { (vec![], vec![]) };
        let checks = |checks: Vec<Check>| checks.into_iter().map(Entry::Check);
        let all = checks(first).chain(cases).chain(checks(last));
        all.filter(|entry| self.wanted(&self.list(entry))).collect()
    }

    fn wanted(&self, listed: &Listed) -> bool {
        let name = format!("{}: {}", listed.group, listed.name).to_lowercase();
        self.only.as_ref().is_none_or(|only| name.contains(only))
    }

    /// Everything that would be run.
    pub(super) fn listed(&self) -> Vec<Listed> {
        self.entries.iter().map(|entry| self.list(entry)).collect()
    }

    fn list(&self, entry: &Entry) -> Listed {
        let group = CONFORMANCE.to_owned();
        match entry {
            Entry::Check(check) => Listed {
                group,
                name: check.name(),
                description: Some(check.about().to_owned()),
                line: None,
                skip: None,
            },
            Entry::Case(file, case) => {
                let found = self.files.get(*file).and_then(|cases| Some((cases, cases.file.cases.get(*case)?)));
                let Some((cases, case)) = found else {
                    return Listed { group, name: String::new(), description: None, line: None, skip: None };
                };
                let (description, skip) = (case.description.clone(), case.skip.clone());
                Listed {
                    group: cases.name.clone(),
                    name: case.name.clone(),
                    description,
                    line: Some(case.spot.line()),
                    skip,
                }
            }
        }
    }

    /// Runs everything in its order.
    pub(super) fn run(mut self, effort: Effort, watch: &mut dyn FnMut(&Verdict) -> ControlFlow<()>) -> Result<Report> {
        let begun = Instant::now();
        let (mut seen, mut verdicts, mut ended_early) = (Seen::default(), Vec::new(), false);
        'entries: for entry in std::mem::take(&mut self.entries) {
            for entry in self.unfold(entry, &seen) {
                let verdict = self.one(&entry, effort, &mut seen);
                let go_on = watch(&verdict);
                verdicts.push(verdict);
                if go_on.is_break() {
                    ended_early = true;
                    break 'entries;
                }
            }
        }
        let status = self.stage.status()?;
        let (plugin, version) = (status.id.to_string(), status.manifest.version.to_string());
        let took_ms = begun.elapsed().as_secs_f64() * 1e3;
        let (runtime, folder) = (seen.runtime, self.folder.0.display().to_string());
        let (passed, failed, skipped) = (0, 0, 0);
        let report =
            Report { plugin, version, runtime, folder, passed, failed, skipped, ended_early, took_ms, verdicts };
        Ok(report.count())
    }

    /// The check of every action becomes one for each that the code has, where the manifest names none.
    fn unfold(&mut self, entry: Entry, seen: &Seen) -> Vec<Entry> {
        if !matches!(entry, Entry::Check(Check::OddInput(None))) {
            return vec![entry];
        }
        if seen.loads == Some(false) || self.stage.fresh(&self.basis()).is_err() {
            return vec![entry];
        }
        let generation = self.stage.status().ok().and_then(|status| status.generation);
        let actions = generation.map(|generation| generation.actions).unwrap_or_default();
        let entries = actions.into_iter().map(|action| Entry::Check(Check::OddInput(Some(action))));
        entries.filter(|entry| self.wanted(&self.list(entry))).collect()
    }

    fn one(&mut self, entry: &Entry, effort: Effort, seen: &mut Seen) -> Verdict {
        let begun = Instant::now();
        let listed = self.list(entry);
        let (outcome, notes) = match entry {
            Entry::Check(check) => self.check(check, effort, seen),
            Entry::Case(file, number) => (self.case(*file, *number, seen), Vec::new()),
        };
        if let Some(generation) = self.stage.status().ok().and_then(|status| status.generation) {
            seen.runtime = Some(generation.runtime);
        }
        let took_ms = begun.elapsed().as_secs_f64() * 1e3;
        let Listed { group, name, description, line, .. } = listed;
        Verdict { group, name, description, line, outcome, notes, took_ms }
    }

    fn check(&mut self, check: &Check, effort: Effort, seen: &mut Seen) -> (Outcome, Vec<String>) {
        if seen.loads == Some(false) {
            return (Outcome::Skipped { reason: "it does not load".to_owned() }, Vec::new());
        }
        if let Check::OddInput(Some(action)) = check
            && let Some(case) = seen.ends_badly.get(action)
        {
            let reason = format!("the case `{case}` says already how `{action}` ends");
            return (Outcome::Skipped { reason }, Vec::new());
        }
        let config = self.basis();
        let sample = self.sample_but(&config, &seen.failed);
        let configs = self.files.iter().flat_map(|cases| &cases.file.cases);
        let configs = configs.filter(|case| case.expect.is_none() && case.skip.is_none() && !case.config.is_empty());
        let mut ground = Ground {
            configs: configs.map(|case| case.config.clone()).collect(),
            ends_badly: seen.ends_badly.keys().cloned().collect(),
            stage: &mut self.stage,
            manifest: &self.manifest,
            warnings: &self.warnings,
            folder: &self.folder,
            config,
            sample,
            effort,
        };
        let done = checks::run(check, &mut ground);
        if *check == Check::Loads {
            seen.loads = Some(done.is_ok());
        }
        match done {
            Ok(notes) => (Outcome::Passed, notes),
            Err(outcome) => (outcome, Vec::new()),
        }
    }

    fn case(&mut self, file: usize, number: usize, seen: &mut Seen) -> Outcome {
        let case = self.files.get(file).and_then(|cases| cases.file.cases.get(number));
        let Some(case) = case else { return Outcome::Skipped { reason: "it is not there".to_owned() } };
        let outcome = case::run(&mut self.stage, case, &self.folder);
        if !matches!(outcome, Outcome::Passed) {
            seen.failed.insert((file, number));
        }
        let Some(act) = &case.act else { return outcome };
        let badly = match &outcome {
            Outcome::Failed(failure) => matches!(failure.kind, FailureKind::Timeout | FailureKind::Crash),
            Outcome::Passed => {
                matches!(&act.expect, Some(Expectation::Error(error)) if error.code.as_deref().is_some_and(ends))
            }
            Outcome::Skipped { .. } => false,
        };
        if badly {
            seen.ends_badly.insert(act.action.to_string(), case.name.clone());
        }
        outcome
    }
}

/// Codes of an instance or process that did not end its call by itself.
fn ends(code: &str) -> bool {
    let codes =
        [Code::DeadlineExceeded, Code::Crashed, Code::PeerGone, Code::Panicked, Code::Trapped, Code::MemoryLimit];
    codes.iter().any(|known| known.as_str() == code)
}
