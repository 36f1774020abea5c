//! What `resolve` takes.

use std::time::Duration;

use clap::Args;
use midplane::resolve::{Requirement, Strategy};

use super::{Shelves, named, text};

/// Say which versions of which plugins go together, and in which order they would be loaded
#[derive(Debug, Args)]
#[command(long_about = text::RESOLVE, after_long_help = text::RESOLVE_EXAMPLES)]
pub(crate) struct Resolve {
    /// Plugins that must be there; any version where no range is given
    #[arg(required = true, value_name = "ID[@RANGE]", value_parser = named::requirement)]
    pub(crate) wanted: Vec<Requirement>,
    #[command(flatten)]
    pub(crate) shelves: Shelves,
    /// Which of the versions that fit: semver (what is there, else the highest), exact (a version without
    /// operator is that one) or latest [default: versions.strategy of the settings, else semver]
    #[arg(long, value_name = "STRATEGY", value_parser = named::strategy)]
    pub(crate) strategy: Option<Strategy>,
    /// Take pre-releases where a range does not name them as well, whatever the settings say
    #[arg(long)]
    pub(crate) allow_prerelease: bool,
    /// Print the plan as a graph in the language of Graphviz
    #[arg(long)]
    pub(crate) dot: bool,
    /// Longest time of the search: 500ms, 5s, 2m [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = named::duration)]
    pub(crate) deadline: Option<Duration>,
}
