//! What can be typed after `midplane test`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Policies, text};

/// Test a plugin: what every plugin should do, and its author's own cases
#[derive(Debug, Args)]
#[command(long_about = text::TEST, after_long_help = text::TEST_EXAMPLES)]
pub(crate) struct Test {
    /// The plugin's folder, its manifest, or a bare plugin file
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) plugin: PathBuf,
    /// Only what has this text in its name or in that of its file
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Say what would be run, and run nothing
    #[arg(long, conflicts_with_all = ["junit", "bench", "quick", "full"])]
    pub(crate) list: bool,
    /// A few calls and loads where there are many otherwise
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// 100 tasks with 1,000 calls each, and 1,000 loads
    #[arg(long)]
    pub(crate) full: bool,
    /// Run the author's cases only
    #[arg(long)]
    pub(crate) no_conformance: bool,
    /// Write what came of it as JUnit XML as well
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
    /// Measure loading, the first call and unloading instead; 50 rounds where no number is given
    #[arg(long, value_name = "ROUNDS", num_args = 0..=1, require_equals = true, default_missing_value = "50")]
    #[arg(conflicts_with_all = ["junit", "quick", "full"])]
    pub(crate) bench: Option<usize>,
    /// Load this plugin as well: one that is depended on, or that cases call. May be given again
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) with: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policies: Policies,
}
