//! What can be typed about lasting grants.

use clap::{Args, ValueHint};
use midplane::Permission;

use super::{DataFolder, named, text};

/// Permit a plugin what it asks for, for good, or deny it with a leading `!`
#[derive(Debug, Args)]
#[command(long_about = text::GRANT, after_long_help = text::GRANT_EXAMPLES)]
pub(crate) struct Grant {
    /// The plugin: its id, or a path of it
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: String,
    /// What is permitted, as area.verb or area.verb:pattern; what begins with `!` is denied
    #[arg(required = true, value_name = "PERMISSION", value_hint = ValueHint::Other)]
    pub(crate) permissions: Vec<Permission>,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// Take back what was granted or denied a plugin for good
#[derive(Debug, Args)]
#[command(after_long_help = text::REVOKE_EXAMPLES)]
pub(crate) struct Revoke {
    /// The plugin: its id, or a path of it
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: String,
    /// What is taken back, as `midplane grants` shows it
    #[arg(required_unless_present = "all", value_name = "PERMISSION", value_hint = ValueHint::Other)]
    pub(crate) permissions: Vec<Permission>,
    /// Everything that was granted or denied it for good
    #[arg(long, conflicts_with = "permissions")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}

/// Show what plugins ask for, and what they were granted
#[derive(Debug, Args)]
#[command(after_long_help = text::GRANTS_EXAMPLES)]
pub(crate) struct Grants {
    /// This plugin alone
    #[arg(value_name = "ID|DIR", value_parser = named::plugin)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataFolder,
}
