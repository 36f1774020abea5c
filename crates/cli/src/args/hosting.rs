//! What can be typed to a host that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use midplane::Permission;

use super::{DataFolder, Settings, named, text};

/// Show the host that runs over the data folder, and its plugins
#[derive(Debug, Args)]
#[command(after_long_help = text::STATUS_EXAMPLES)]
pub(crate) struct Status {
    /// This plugin alone
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// Install a plugin: into the host that runs over the data folder, else for the next one
#[derive(Debug, Args)]
#[command(long_about = text::INSTALL, after_long_help = text::INSTALL_EXAMPLES)]
pub(crate) struct Install {
    /// The plugin's folder, its manifest, or a bare plugin file
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// Permit what it asks for with the installation, for good, or deny it with a leading `!`. May be given again
    #[arg(long, value_name = "PERMISSION", value_hint = ValueHint::Other)]
    pub(crate) grant: Vec<Permission>,
    #[command(flatten)]
    pub(crate) data: DataFolder,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Take an installed plugin away; its files and what it kept stay
#[derive(Debug, Args)]
#[command(after_long_help = text::UNINSTALL_EXAMPLES)]
pub(crate) struct Uninstall {
    /// The plugin: its id, or a path of it
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: String,
    /// Unload everything that needs it first; that stays installed
    #[arg(long)]
    pub(crate) cascade: bool,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// One plugin of a host that runs.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The plugin: its id, or a path of it
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// Unload a plugin in the host that runs over the data folder
#[derive(Debug, Args)]
#[command(after_long_help = text::UNLOAD_EXAMPLES)]
pub(crate) struct Unload {
    /// The plugin: its id, or a path of it
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: String,
    /// Unload everything that needs it first
    #[arg(long)]
    pub(crate) cascade: bool,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// Show what goes over the bus of the host that runs over the data folder
#[derive(Debug, Args)]
#[command(after_long_help = text::BUS_EXAMPLES)]
pub(crate) struct Bus {
    #[command(subcommand)]
    pub(crate) doing: Bussing,
}

/// What to do with the bus.
#[derive(Debug, Subcommand)]
pub(crate) enum Bussing {
    /// How many events were published, on which topics, and what came of them for each subscriber
    #[command(after_long_help = text::BUS_EXAMPLES)]
    Stats {
        /// Count from zero from here on; shown is what there was
        #[arg(long)]
        reset: bool,
        #[command(flatten)]
        data: DataFolder,
    },
}
