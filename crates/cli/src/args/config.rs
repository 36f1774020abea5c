//! Settings: where they come from, and the commands about them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use midplane::settings::Sources;

use super::text;

/// Where settings come from.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct Settings {
    /// Settings file, midplane.yaml for example. May be given again; later ones stand over earlier ones
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "MIDPLANE_SETTINGS", hide_env = true)]
    #[arg(value_delimiter = ':')]
    pub(crate) settings: Vec<PathBuf>,
    /// One setting, which stands over those of files: load.auto=true, /plugins/my.id/enabled=false
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

impl Settings {
    /// Where settings come from.
    pub(crate) fn sources(&self) -> Sources {
        Sources { files: self.settings.clone(), assignments: self.set.clone() }
    }
}

/// Check, show and import settings
#[derive(Debug, Args)]
#[command(long_about = text::CONFIG, after_long_help = text::CONFIG_EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) what: What,
}

/// What is done with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Say everything that is wrong with settings, at once
    #[command(after_long_help = text::CONFIG_EXAMPLES)]
    Check(Meant),
    /// Show the settings that hold, defaults among them
    #[command(after_long_help = text::CONFIG_EXAMPLES)]
    Show(Show),
    /// Make settings of the configuration files of others
    #[command(long_about = text::IMPORT, after_long_help = text::IMPORT_EXAMPLES)]
    Import(Import),
}

/// The settings that are meant.
#[derive(Debug, Args)]
pub(crate) struct Meant {
    /// Settings files [default: those of --settings, else midplane.yaml here]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// How settings are shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) named: Meant,
    /// One line for each value, with where it comes from
    #[arg(long)]
    pub(crate) origins: bool,
}

/// What is imported.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Configuration files
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Write the settings to this file instead of stdout; one that is there is left alone
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
}
