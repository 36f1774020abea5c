//! Running one case of an author's.

use std::time::{Duration, Instant};

use midplane_contract::manifest::cases::{Case, Expectation, Step};
use midplane_contract::{Code, Error, State};

use super::excerpt;
use super::expect::{self, judge};
use super::files::Folder;
use super::stage::Stage;
use super::verdict::{Failure, FailureKind, Outcome, time};

/// Runs a case: loads the plugin for it, calls what it says, and cleans up whatever has happened.
pub(super) fn run(stage: &mut Stage, case: &Case, folder: &Folder) -> Outcome {
    if let Some(reason) = &case.skip {
        return Outcome::Skipped { reason: reason.clone() };
    }
    let loaded = stage.fresh(&case.config);
    let mut done = match (&loaded, &case.act, &case.expect) {
        (Err(error), None, Some(Expectation::Error(wanted))) => expect::expected_error(wanted, error),
        (Err(error), _, _) => Err(not_loaded(error)),
        (Ok(()), None, Some(_)) => {
            let reason = "it loads where an error is expected";
            Err(Failure::new(FailureKind::WrongAnswer, reason).at(case.spot.line()))
        }
        (Ok(()), _, _) => Run { stage, folder, end: Instant::now() + case.timeout, timeout: case.timeout }.body(case),
    };
    // What does not load leaves nothing to clean up after.
    if loaded.is_ok() && !case.cleanup.is_empty() {
        clean_up(stage, case, folder, &mut done);
    }
    match done {
        Ok(()) => Outcome::Passed,
        Err(failure) => {
            if failure.kind == FailureKind::Timeout {
                // What still runs costs time to end: that of this case, not of the next, which begins with a load anyway
                // and says what is in its way.
                let _ = stage.clear();
            }
            Outcome::Failed(failure)
        }
    }
}

fn not_loaded(error: &Error) -> Box<Failure> {
    let mut failure = expect::of_error(error);
    if failure.kind == FailureKind::Error {
        failure.kind = FailureKind::Lifecycle;
    }
    failure.in_part("it does not load")
}

/// Every call of the cleanup, each failure beside the case's own. A plugin that does not run any longer is loaded
/// again for it: what is to be cleaned up may lie outside of it.
fn clean_up(stage: &mut Stage, case: &Case, folder: &Folder, done: &mut Result<(), Box<Failure>>) {
    let mut trouble = Vec::new();
    if !stage.runs()
        && let Err(error) = stage.fresh(&case.config)
    {
        trouble.push(format!("it does not load again for the cleanup: {}", excerpt::text(&error.to_string())));
    }
    let mut run = Run { stage, folder, end: Instant::now() + case.timeout, timeout: case.timeout };
    if trouble.is_empty() {
        for (number, step) in case.cleanup.iter().enumerate() {
            let said = run.step(step).map_err(|failure| {
                format!("line {}: {}: {}", step.spot.line(), called("cleanup", number, step), failure.reason)
            });
            trouble.extend(said.err());
        }
    }
    match done {
        Err(failure) => failure.also.extend(trouble),
        Ok(()) if trouble.is_empty() => {}
        Ok(()) => {
            let mut failure = Failure::new(FailureKind::Error, "the cleanup failed");
            failure.also = trouble;
            *done = Err(failure);
        }
    }
}

/// A case that is running, with the time it has.
struct Run<'a> {
    stage: &'a mut Stage,
    folder: &'a Folder,
    end: Instant,
    timeout: Duration,
}

impl Run<'_> {
    /// Setup, the call itself, and the verification; the first failure ends it.
    fn body(&mut self, case: &Case) -> Result<(), Box<Failure>> {
        self.steps("setup", &case.setup)?;
        if let Some(act) = &case.act {
            self.step(act)?;
        }
        self.steps("verify", &case.verify)?;
        let expects_error = case.act.as_ref().is_some_and(|act| matches!(act.expect, Some(Expectation::Error(_))));
        if expects_error { Ok(()) } else { self.still_runs() }
    }

    fn steps(&mut self, part: &str, steps: &[Step]) -> Result<(), Box<Failure>> {
        steps.iter().enumerate().try_for_each(|(number, step)| {
            self.step(step).map_err(|failure| failure.in_part(&called(part, number, step)))
        })
    }

    fn step(&mut self, step: &Step) -> Result<(), Box<Failure>> {
        let left = self.end.saturating_duration_since(Instant::now());
        let input = self.folder.bytes(&step.input);
        let answer = input.and_then(|input| {
            self.stage.call(step.plugin.as_ref(), step.action.as_str(), input, left.max(Duration::from_millis(1)))
        });
        judge(step.expect.as_ref(), &answer, self.folder).map_err(|failure| {
            let late = answer.as_ref().err().is_some_and(|error| error.code() == Code::DeadlineExceeded);
            let out_of_time = late && Instant::now() >= self.end && failure.kind == FailureKind::Timeout;
            let failure = if out_of_time { self.out_of_time(failure) } else { failure };
            failure.at(step.spot.line())
        })
    }

    fn out_of_time(&self, mut failure: Box<Failure>) -> Box<Failure> {
        let timeout = time(self.timeout.as_secs_f64() * 1e3);
        failure.reason = format!("no answer within the case's timeout of {timeout}");
        failure.remedy("raise `timeout` if it may take that long")
    }

    /// A plugin that answered and died of it did not pass.
    fn still_runs(&self) -> Result<(), Box<Failure>> {
        match self.stage.status() {
            Ok(status) if status.state == State::Failed => {
                let cause = status.cause.map(|cause| excerpt::text(&cause.to_string())).unwrap_or_default();
                Err(Failure::new(FailureKind::Crash, format!("it answered, and failed then: {cause}")))
            }
            _ => Ok(()),
        }
    }
}

/// How a call of a part is named in messages.
fn called(part: &str, number: usize, step: &Step) -> String {
    format!("{part} {} (`{}`)", number + 1, step.action)
}
