//! What can be typed after `midplane catalog`, and where things are kept.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use midplane::PluginId;

use super::{Shelves, text};

/// Show what the plugin folders hold: kept in the data folder, read again only where something has changed
#[derive(Debug, Args)]
#[command(long_about = text::CATALOG, after_long_help = text::CATALOG_EXAMPLES)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    pub(crate) doing: Cataloguing,
}

/// What to do with the catalog.
#[derive(Debug, Subcommand)]
pub(crate) enum Cataloguing {
    /// List every plugin, the broken and the shadowed with the reason
    #[command(after_long_help = text::CATALOG_EXAMPLES)]
    List {
        #[command(flatten)]
        shelves: Shelves,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Show everything that is known of one plugin: where it lies, its versions, how it was used
    #[command(after_long_help = text::CATALOG_EXAMPLES)]
    Show {
        /// The plugin
        #[arg(value_name = "ID")]
        id: PluginId,
        #[command(flatten)]
        shelves: Shelves,
        #[command(flatten)]
        data: DataFolder,
    },
    /// List what is installed, and what came to nothing with the reason
    #[command(after_long_help = text::CATALOG_EXAMPLES)]
    Installed {
        #[command(flatten)]
        data: DataFolder,
    },
    /// Scan the folders now, and say what has changed
    #[command(after_long_help = text::CATALOG_EXAMPLES)]
    Rescan {
        #[command(flatten)]
        shelves: Shelves,
        #[command(flatten)]
        data: DataFolder,
    },
}

/// Where a host keeps grants, plugins' state and the catalog, if anywhere.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// Keep plugins' state, grants and the catalog in this folder; without it nothing is kept
    #[arg(long, value_name = "DIR", env = "MIDPLANE_DATA", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
}

/// The data folder that is spoken of: there always is one.
#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// The data folder [default: midplane in the user's data folder]
    #[arg(long, value_name = "DIR", env = "MIDPLANE_DATA", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
}
