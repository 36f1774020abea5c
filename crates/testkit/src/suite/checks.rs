//! The conformance checks: what every plugin should do, whatever it is for.

mod basics;
mod busy;
mod configuration;
mod life;
mod odd;

use std::time::Duration;

use midplane_contract::manifest::Fault;
use midplane_contract::manifest::cases::Expectation;
use midplane_contract::{Code, Error, Manifest, Result, State};
use midplane_kernel::block_on;
use serde_json::{Map, Value};

use super::Effort;
use super::expect::of_error;
use super::files::Folder;
use super::stage::Stage;
use super::verdict::{Failure, FailureKind, Outcome};

/// Longest time for a call of a check's.
const CALL: Duration = Duration::from_secs(10);
/// Longest time for a question to the kernel: hooks have limits of their own, which are shorter.
const ASK: Duration = Duration::from_secs(60);

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    /// The manifest has no faults and this host can do what it asks for.
    Sound,
    /// It loads, starts and runs.
    Loads,
    /// Its actions are those that it declares.
    Offers,
    /// Health and ping are answered.
    Health,
    /// One action gets input that it does not expect. Without a name: each action of its code.
    OddInput(Option<String>),
    /// Many calls at once.
    AtOnce,
    /// A configuration that breaks the schema is refused.
    BadConfig,
    /// The configuration changes while it runs.
    LiveConfig,
    /// It stops and starts.
    StopStart,
    /// It is replaced by itself.
    Reload,
    /// Unloading leaves nothing.
    Unload,
    /// Loading and unloading in a row does not grow.
    Cycles,
}

/// Those that come before the author's cases.
pub(super) fn first() -> Vec<Check> {
    vec![Check::Sound, Check::Loads, Check::Offers, Check::Health]
}

/// Those that come after.
pub(super) fn last(actions: &[String]) -> Vec<Check> {
    let odd = match actions {
        [] => vec![Check::OddInput(None)],
        actions => actions.iter().cloned().map(|action| Check::OddInput(Some(action))).collect(),
    };
    let rest = [Check::AtOnce, Check::BadConfig, Check::LiveConfig, Check::StopStart, Check::Reload, Check::Unload];
    odd.into_iter().chain(rest).chain([Check::Cycles]).collect()
}

impl Check {
    /// Its name, stable from version to version.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Sound => "the manifest is sound".to_owned(),
            Self::Loads => "it loads and runs".to_owned(),
            Self::Offers => "it has the actions that it declares".to_owned(),
            Self::Health => "it answers health and ping".to_owned(),
            Self::OddInput(Some(action)) => format!("odd input does not end it: {action}"),
            Self::OddInput(None) => "odd input does not end it".to_owned(),
            Self::AtOnce => "it answers many calls at once".to_owned(),
            Self::BadConfig => "a configuration that breaks its schema is refused".to_owned(),
            Self::LiveConfig => "its configuration changes while it runs".to_owned(),
            Self::StopStart => "it stops and starts".to_owned(),
            Self::Reload => "it reloads".to_owned(),
            Self::Unload => "unloading leaves nothing".to_owned(),
            Self::Cycles => "loading and unloading does not grow".to_owned(),
        }
    }

    /// What it is about.
    pub(super) fn about(&self) -> &'static str {
        match self {
            Self::Sound => "`midplane check` finds no error, and the placement and limits can be had",
            Self::Loads => "it is running after a load",
            Self::Offers => "each action of the manifest is there, and there is something to call or to subscribe to",
            Self::Health => "the health hook answers in its form and not with unhealthy; the ping is answered",
            Self::OddInput(_) => {
                "no bytes, garbage, 1 MiB and deeply nested JSON: an error is a good answer, a hang or a crash is none"
            }
            Self::AtOnce => "calls from many tasks are all answered",
            Self::BadConfig => "at load and while it runs, and the configuration in effect stays",
            Self::LiveConfig => "the configuration in effect is accepted again, and it goes on answering",
            Self::StopStart => "calls are refused in between and answered afterwards",
            Self::Reload => "a next generation takes over and answers",
            Self::Unload => "no process, no generation, and it can be loaded again",
            Self::Cycles => "memory grows by less than 10 MB and no file stays open",
        }
    }
}

/// What a check works with.
pub(super) struct Ground<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) manifest: &'a Manifest,
    pub(super) warnings: &'a [Fault],
    pub(super) folder: &'a Folder,
    /// Laid over the operator's configuration, so that the plugin can be loaded.
    pub(super) config: Map<String, Value>,
    /// Other configurations that the author's cases load it with.
    pub(super) configs: Vec<Map<String, Value>>,
    /// A call that is known to be answered.
    pub(super) sample: Option<Sample>,
    /// Actions that are known to hang or crash.
    pub(super) ends_badly: Vec<String>,
    pub(super) effort: Effort,
}

/// A call that is known to be answered.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) action: String,
    pub(super) input: Vec<u8>,
    /// What comes back each time; only of actions that are declared idempotent.
    pub(super) expect: Option<Expectation>,
}

/// Notes on what passed, or why it did not.
type Done = Result<Vec<String>, Outcome>;

/// Runs a check.
pub(super) fn run(check: &Check, ground: &mut Ground<'_>) -> Done {
    match check {
        Check::Sound => basics::sound(ground),
        Check::Loads => basics::loads(ground),
        Check::Offers => basics::offers(ground),
        Check::Health => basics::health(ground),
        Check::OddInput(Some(action)) => odd::odd(ground, action),
        Check::OddInput(None) => Err(skip("it has no actions")),
        Check::AtOnce => busy::at_once(ground),
        Check::BadConfig => configuration::bad(ground),
        Check::LiveConfig => configuration::live(ground),
        Check::StopStart => life::stop_start(ground),
        Check::Reload => life::reload(ground),
        Check::Unload => life::unload(ground),
        Check::Cycles => life::cycles(ground),
    }
}

impl Ground<'_> {
    /// Loads the plugin anew.
    fn fresh(&mut self) -> Result<(), Outcome> {
        Ok(self.stage.fresh(&self.config)?)
    }

    /// The actions that callers may use, by what is loaded.
    fn actions(&self) -> Vec<String> {
        let generation = self.stage.status().ok().and_then(|status| status.generation);
        generation.map(|generation| generation.actions).unwrap_or_default()
    }

    /// A call that is answered: the sample, or an empty one of an action that is not known to end badly.
    fn call(&self) -> Option<Sample> {
        let usable = |action: &String| !self.ends_badly.contains(action);
        let empty = |action| Sample { action, input: Vec::new(), expect: None };
        self.sample.clone().or_else(|| self.actions().into_iter().find(usable).map(empty))
    }

    /// That it runs and is alive.
    fn alive(&mut self) -> Result<(), Outcome> {
        let status = self.stage.status()?;
        if status.state != State::Running {
            let cause = status.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            return Err(failed(FailureKind::Crash, format!("it is {} afterwards{cause}", status.state)));
        }
        let pinged = self.stage.operate("ping", ASK, |kernel, id| block_on(kernel.ping(&id)));
        pinged.map_err(|error| Outcome::Failed(of_error(&error).in_part("it does not answer a ping afterwards")))
    }
}

/// Whether an error is an answer, which may well be that of another plugin or of the host to this one, and not the sign
/// of something broken. A panic is one as well: it was caught and told, and calls that the check made up provoke it in
/// many a plugin that takes its input for granted.
pub(super) fn is_answer(error: &Error) -> bool {
    let ended = matches!(error.code(), Code::DeadlineExceeded | Code::Crashed | Code::PeerGone | Code::ProtocolError);
    let spent = matches!(error.code(), Code::Trapped | Code::MemoryLimit | Code::Internal);
    let absent = matches!(error.code(), Code::NotRunning | Code::NotLoaded | Code::ActionNotFound);
    !(ended || spent || absent || matches!(error.code(), Code::Overloaded | Code::BreakerOpen))
}

fn failed(kind: FailureKind, reason: impl Into<String>) -> Outcome {
    Outcome::Failed(Failure::new(kind, reason))
}

fn skip(reason: impl Into<String>) -> Outcome {
    Outcome::Skipped { reason: reason.into() }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let mut failure = of_error(&error);
        if failure.kind == FailureKind::Error {
            failure.kind = FailureKind::Lifecycle;
        }
        Self::Failed(failure)
    }
}
