//! The tests of one plugin, whatever it is written in: a conformance suite that every plugin should pass, and the cases
//! that its author wrote beside it. `midplane test` is this; authors who embed Midplane call it from their own tests.
//!
//! A [`Suite`] loads the plugin by a kernel of the caller's making, so the runtimes are those that the program has. Every
//! case begins with a plugin that was loaded for it; one that hangs ends at its timeout, one that crashes fails alone.
//! Nothing is run at the same time but what a check is about.
//!
//! ```
//! use std::sync::Arc;
//! use midplane_kernel::Kernel;
//! use midplane_testkit::suite::Suite;
//! use midplane_testkit::{Fake, PluginFolder, Program, Scratch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A plugin, and a case of its author's. In a real test both lie in a folder already.
//! let scratch = Scratch::new("suite")?;
//! let folder = PluginFolder::fake("shout", "shout").with("actions", serde_json::json!(["upper"])).write(scratch.path())?;
//! std::fs::write(
//!     folder.join("plugin.test.yaml"),
//!     "cases:\n- { name: makes it louder, action: upper, text: hey, expect: { text: HEY } }\n",
//! )?;
//!
//! let program = Program::new().action("upper", |_, input, reply| reply.write(&input.to_ascii_uppercase()));
//! let fake = Fake::new().program("shout", program);
//! // With the whole library this is `.kernel(midplane::kernel)`.
//! let report = Suite::for_folder(&folder).kernel(move || Kernel::builder().runtime(Arc::new(fake.clone()))).run()?;
//! assert!(report.passed(), "{}", report.text());
//! # Ok(())
//! # }
//! ```

mod bench;
mod case;
mod checks;
mod compare;
mod excerpt;
mod expect;
mod files;
mod junit;
mod limit;
mod plan;
mod report;
mod sample;
mod stage;
mod verdict;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{PluginId, Result};
use midplane_kernel::{Builder, Kernel, Policy};

pub use bench::{Bench, Spread};
pub use plan::Listed;
pub use report::Report;
pub use verdict::{Failure, FailureKind, Outcome, Verdict};

/// The group that the conformance checks are in.
pub const CONFORMANCE: &str = "conformance";

/// How many times the checks do what they do many times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effort {
    /// A few times; no check takes more than some seconds with a plugin that answers at once.
    Quick,
    /// Enough to see what goes wrong now and then: 50 tasks with 20 calls each, 60 loads; less for slow plugins.
    #[default]
    Usual,
    /// Requirement 003's own numbers: 100 tasks with 1,000 calls each, and 1,000 loads.
    Full,
}

/// The tests of one plugin, before they are run.
#[derive(Clone)]
pub struct Suite {
    setting: Setting,
    only: Option<String>,
    conformance: bool,
    effort: Effort,
}

/// What the plugin is and how it is to be loaded.
#[derive(Clone)]
struct Setting {
    path: PathBuf,
    others: Vec<PathBuf>,
    policies: BTreeMap<PluginId, Policy>,
    kernel: Arc<dyn Fn() -> Builder + Send + Sync>,
}

impl Suite {
    /// The tests of the plugin that stands at a path: its folder, its manifest, or a bare file. Cases come from `tests/`
    /// and `plugin.test.yaml` in its folder; those of a bare file `NAME.so` from `NAME.test.yaml` beside it.
    #[must_use]
    pub fn for_folder(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_path_buf();
        let kernel = Arc::new(Kernel::builder);
        let setting = Setting { path, others: Vec::new(), policies: BTreeMap::new(), kernel };
        Self { setting, only: None, conformance: true, effort: Effort::default() }
    }

    /// Makes the kernels that load the plugin: `midplane::kernel`, or one's own. It is called again where a plugin holds
    /// up a kernel so that nothing but a fresh one helps.
    #[must_use]
    pub fn kernel(mut self, make: impl Fn() -> Builder + Send + Sync + 'static) -> Self {
        self.setting.kernel = Arc::new(make);
        self
    }

    /// What an operator decides about a plugin: trust, placement, grants, configuration. Ids that are not there are an
    /// error when the suite is run.
    #[must_use]
    pub fn policy(mut self, id: PluginId, policy: Policy) -> Self {
        self.setting.policies.insert(id, policy);
        self
    }

    /// Another plugin that is loaded beside: one that the tested one depends on, or that cases call.
    #[must_use]
    pub fn with_plugin(mut self, path: impl AsRef<Path>) -> Self {
        self.setting.others.push(path.as_ref().to_path_buf());
        self
    }

    /// Only what has this text in `GROUP: NAME`, upper and lower case alike. The group is `conformance` or the case
    /// file's name.
    #[must_use]
    pub fn only(mut self, text: &str) -> Self {
        self.only = Some(text.to_lowercase());
        self
    }

    /// Leaves the conformance checks out.
    #[must_use]
    pub fn without_conformance(mut self) -> Self {
        self.conformance = false;
        self
    }

    /// How many times the checks do what they do many times.
    #[must_use]
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// What would be run, in order, without running it. A bare file is asked who it is, so its code is loaded for that.
    ///
    /// # Errors
    /// As [`Suite::run`].
    pub fn list(&self) -> Result<Vec<Listed>> {
        Ok(plan::make(self)?.listed())
    }

    /// Runs everything. Blocks the thread; takes as long as the plugin does, and never longer than the timeouts.
    ///
    /// # Errors
    /// Only where there is nothing to test: `plugin_not_found`; `manifest_invalid` for a manifest or a case file, with
    /// every fault in `data.files`, a list of `{file, faults}`; `invalid_input` when [`Suite::only`] leaves nothing.
    /// What is wrong with the plugin itself is in the report.
    pub fn run(&self) -> Result<Report> {
        self.run_watched(&mut |_| ControlFlow::Continue(()))
    }

    /// [`Suite::run`], with a look at each verdict as soon as it is there. Breaking leaves out the rest.
    ///
    /// # Errors
    /// As [`Suite::run`].
    pub fn run_watched(&self, watch: &mut dyn FnMut(&Verdict) -> ControlFlow<()>) -> Result<Report> {
        let plan = plan::make(self)?;
        plan.run(self.effort, watch)
    }

    /// Loads, calls once and unloads so many times, and says how long each took. The call is the first case's that
    /// expects a reply and needs no setup, otherwise an empty one of the first action.
    ///
    /// # Errors
    /// As [`Suite::run`], and what loading and unloading say. An error that the action answers is an answer.
    pub fn bench(&self, rounds: usize) -> Result<Bench> {
        bench::run(self, rounds.max(1))
    }
}

#[cfg(test)]
mod tests;
