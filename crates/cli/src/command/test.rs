//! `midplane test`: what every plugin should do, and its author's own cases.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use midplane::{Code, Error, Result};
use midplane_testkit::suite::{Bench, Effort, Listed, Report, Suite, Verdict};
use serde_json::json;

use super::lost_thread;
use crate::args::Test;
use crate::exit::{Exit, Outcome, Stop};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::save::Save;
use crate::{notice, policies, stale};

/// What a case that is running gets to end after Ctrl-C.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// Tests, lists or measures; ends with 1 when something failed.
pub(super) async fn test(test: Test, output: Output) -> Outcome<Exit> {
    let suite = suite(&test)?;
    stale::warn(&test.plugin);
    let work = Work { interrupt: Interrupt::listen()?, ended: Arc::default() };
    if test.list {
        let listed = work.run(move |_| suite.list()).await?;
        return list(&listed, output).map(|()| Exit::Done);
    }
    if let Some(rounds) = test.bench {
        let bench = work.run(move |_| suite.bench(rounds)).await?;
        return measured(&bench, output).map(|()| Exit::Done);
    }
    // Begun first: a place that cannot be written should not be found out about when everything is done.
    let junit = test.junit.as_deref().map(Save::begin).transpose()?;
    let (report, reader_gone) = work.run(move |ended| run(&suite, output, &ended)).await?;
    if let Some(mut junit) = junit {
        junit.write(report.junit().as_bytes())?;
        junit.finish()?;
    }
    if reader_gone {
        return Err(Stop::ReaderGone);
    }
    match output.is_json() {
        true => output.json(&report)?,
        false => output.text(&notice::tidy(&format!("\n{}: {}", report.title(), report.summary())))?,
    }
    Ok(if report.passed() { Exit::Done } else { Exit::Plugin })
}

fn suite(test: &Test) -> Outcome<Suite> {
    let effort = match (test.quick, test.full) {
        (true, _) => Effort::Quick,
        (_, true) => Effort::Full,
        _ => Effort::Usual,
    };
    let mut suite = Suite::for_folder(&test.plugin).kernel(midplane::kernel).effort(effort);
    for (id, policy) in policies::by_plugin(&test.policies, &policies::settings(&test.policies.sources())?)? {
        suite = suite.policy(id, policy);
    }
    for other in &test.with {
        suite = suite.with_plugin(other);
    }
    if let Some(only) = &test.only {
        suite = suite.only(only);
    }
    Ok(if test.no_conformance { suite.without_conformance() } else { suite })
}

/// Work that blocks, on a thread of its own, until it is done or the user gives up on it.
struct Work {
    interrupt: Interrupt,
    ended: Arc<AtomicBool>,
}

impl Work {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<AtomicBool>) -> Result<T> + Send + 'static,
    ) -> Outcome<T> {
        let ended = Arc::clone(&self.ended);
        let mut task = tokio::task::spawn_blocking(move || work(ended));
        let done = self.interrupt.or(&mut task).await;
        if done.is_err() {
            // Time to take leave of the plugin. What has not ended by then ends with this process.
            self.ended.store(true, Ordering::Relaxed);
            let _ = tokio::time::timeout(GIVEN_UP, task).await;
        }
        done?.map_err(lost_thread)?.map_err(refused)
    }
}

/// Where nothing is left to run, what was typed is wrong, not the plugin.
fn refused(error: Error) -> Stop {
    match error.code() {
        Code::InvalidInput => Stop::Failed(error, Exit::Usage),
        _ => error.into(),
    }
}

/// Runs it all; people see each verdict as soon as it is there. Says as well whether nobody reads them any longer.
fn run(suite: &Suite, output: Output, ended: &AtomicBool) -> Result<(Report, bool)> {
    let (mut group, mut reader_gone) = (String::new(), false);
    let report = suite.run_watched(&mut |verdict| {
        let shown = if output.is_json() { Ok(()) } else { show(verdict, &mut group, output) };
        reader_gone |= shown.is_err();
        if reader_gone || ended.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok((report, reader_gone))
}

fn show(verdict: &Verdict, group: &mut String, output: Output) -> Outcome<()> {
    if verdict.group != *group {
        let gap = if group.is_empty() { "" } else { "\n" };
        output.text(&notice::tidy(&format!("{gap}{}", verdict.group)))?;
        group.clone_from(&verdict.group);
    }
    output.text(&notice::tidy(&format!("  {}", verdict.text().replace('\n', "\n  "))))
}

fn list(listed: &[Listed], output: Output) -> Outcome<()> {
    if output.is_json() {
        return output.json(&json!({ "tests": listed }));
    }
    let line = |one: &Listed| {
        let skip = one.skip.as_ref().map(|why| format!(" (skipped: {why})")).unwrap_or_default();
        format!("{}: {}{skip}\n", one.group, one.name)
    };
    output.text(&notice::tidy(&listed.iter().map(line).collect::<String>()))
}

fn measured(bench: &Bench, output: Output) -> Outcome<()> {
    match output.is_json() {
        true => output.json(bench),
        false => output.text(&notice::tidy(&bench.text())),
    }
}
