//! What can be typed.

mod catalog;
mod config;
mod granting;
mod hosting;
mod listening;
mod making;
mod named;
mod refusal;
mod resolving;
mod testing;
mod text;
mod unset;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use midplane::{Address, Permission, Placement, PluginId, Trust};

pub(crate) use catalog::{Catalog, Cataloguing, Data, DataFolder};
pub(crate) use config::{Config, Import, Meant, Settings, Show, What};
pub(crate) use granting::{Grant, Grants, Revoke};
pub(crate) use hosting::{Bus, Bussing, Install, Named, Status, Uninstall, Unload};
pub(crate) use listening::{Listening, Wanted};
pub(crate) use making::{Language, New};
pub(crate) use named::For;
pub(crate) use refusal::Refusal;
pub(crate) use resolving::Resolve;
pub(crate) use testing::Test;
pub(crate) use text::version;

/// Reads the command line.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Cli, Refusal> {
    let arguments: Vec<OsString> = arguments.collect();
    let mut command = unset::left_out(Cli::command());
    let parsed =
        command.try_get_matches_from_mut(&arguments).and_then(|mut typed| Cli::from_arg_matches_mut(&mut typed));
    parsed.map_err(|error| Refusal::new(error.format(&mut command), &arguments))
}

/// Loads plugins, calls them, opens files with them, checks and shows them.
#[derive(Debug, Parser)]
#[command(name = "midplane", version = version(), long_about = text::ABOUT, after_long_help = text::AFTER)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Global {
    /// Print for people, or one JSON document for programs, errors too
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    #[arg(hide_default_value = true)]
    pub(crate) output: Format,
    /// Log more to stderr (-v, -vv)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log errors only, without notes on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON document on stdout, also for errors: `{"error": …}`
    Json,
}

/// The commands, each in a file of its own below `command/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(New),
    Run(Run),
    Open(Open),
    Check(Check),
    Test(Test),
    Inspect(Inspect),
    List(List),
    Catalog(Catalog),
    Status(Status),
    Install(Install),
    Uninstall(Uninstall),
    /// Load a plugin in the host that runs over the data folder, with what it depends on
    #[command(after_long_help = text::LOAD_EXAMPLES)]
    Load(Named),
    Unload(Unload),
    /// Start a plugin that is loaded and does not run, in the host that runs over the data folder
    #[command(after_long_help = text::START_EXAMPLES)]
    Start(Named),
    /// Stop a plugin in the host that runs over the data folder: it stays loaded, and answers nobody
    #[command(after_long_help = text::STOP_EXAMPLES)]
    Stop(Named),
    /// Stop a plugin and start it again; one that has failed is loaded anew
    #[command(after_long_help = text::RESTART_EXAMPLES)]
    Restart(Named),
    /// Read a plugin's folder again, and replace what runs by what is there now while calls go on
    #[command(after_long_help = text::RELOAD_EXAMPLES)]
    Reload(Named),
    /// Let a plugin be started that was disabled, and start it if it is loaded
    #[command(after_long_help = text::ENABLE_EXAMPLES)]
    Enable(Named),
    /// Stop a plugin, and keep it from being started in this host and later ones
    #[command(after_long_help = text::DISABLE_EXAMPLES)]
    Disable(Named),
    Grant(Grant),
    Revoke(Revoke),
    Grants(Grants),
    Bus(Bus),
    Routes(Routes),
    Resolve(Resolve),
    Config(Config),
    Completions(Completions),
    /// Host one plugin for a host that started this process
    #[command(hide = true)]
    Worker(Worker),
}

/// Load plugins or let them connect, and call one of them or wait until Ctrl-C
#[derive(Debug, Args)]
#[command(long_about = text::RUN, after_long_help = text::RUN_EXAMPLES)]
pub(crate) struct Run {
    /// Plugins: their folders, manifests, or bare files
    #[arg(required_unless_present_any = ["listen", "settings", "data"], value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) plugins: Vec<PathBuf>,
    /// Call this action once, print its reply and end
    #[arg(long, value_name = "ID/ACTION")]
    pub(crate) call: Option<Address>,
    /// What the action gets: `-` for stdin, a file, @FILE, or JSON text. Nothing without it
    #[arg(long, value_name = "FILE|JSON|-", requires = "call", allow_hyphen_values = true)]
    pub(crate) input: Option<OsString>,
    #[command(flatten)]
    pub(crate) calling: Calling,
    #[command(flatten)]
    pub(crate) listening: Listening,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) policies: Policies,
}

/// Give a file to the plugin that handles its type, and print or save what comes back
#[derive(Debug, Args)]
#[command(long_about = text::OPEN, after_long_help = text::OPEN_EXAMPLES)]
pub(crate) struct Open {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) folders: Folders,
    /// Call this action instead of the one that the plugin names for the type
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Option<String>,
    /// Use this plugin instead of the one with the highest priority
    #[arg(long, value_name = "ID")]
    pub(crate) with: Option<PluginId>,
    #[command(flatten)]
    pub(crate) calling: Calling,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) policies: Policies,
}

/// Say everything that is wrong with a plugin, at once
#[derive(Debug, Args)]
#[command(long_about = text::CHECK, after_long_help = text::CHECK_EXAMPLES)]
pub(crate) struct Check {
    /// The plugin's folder, or its manifest
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) plugin: PathBuf,
    #[command(flatten)]
    pub(crate) policies: Policies,
}

/// Show a plugin's manifest and what its code is, without running it
#[derive(Debug, Args)]
#[command(long_about = text::INSPECT, after_long_help = text::INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// The plugin's folder, its manifest, or a bare plugin file
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) plugin: PathBuf,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// List the plugins in folders
#[derive(Debug, Args)]
#[command(long_about = text::LIST, after_long_help = text::LIST_EXAMPLES)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) shelves: Shelves,
}

/// Show which plugin gets which action and which file
#[derive(Debug, Args)]
#[command(long_about = text::ROUTES, after_long_help = text::ROUTES_EXAMPLES)]
pub(crate) struct Routes {
    #[command(flatten)]
    pub(crate) shelves: Shelves,
    /// One more route, as JSON; may be given again
    #[arg(long, value_name = "JSON")]
    pub(crate) route: Vec<String>,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_long_help = text::COMPLETIONS_EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// What a host passes to a worker. A process that is one never gets as far as reading it.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// The descriptor of the wire
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fd: Option<i32>,
}

/// Where plugins are looked for.
#[derive(Debug, Args)]
pub(crate) struct Folders {
    /// Folder with plugins; may be given again [default: the folders in MIDPLANE_PLUGINS, else those of
    /// the settings]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) plugins: Vec<PathBuf>,
}

/// Where plugins are looked for, and the settings that say so where nothing else does.
#[derive(Debug, Args)]
pub(crate) struct Shelves {
    #[command(flatten)]
    pub(crate) folders: Folders,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// How a call is made, and where its reply goes.
#[derive(Debug, Args)]
pub(crate) struct Calling {
    /// Longest time of the call: 500ms, 5s, 2m [default: the plugin's own, or 30s]
    #[arg(long, value_name = "TIME", value_parser = named::duration)]
    pub(crate) deadline: Option<Duration>,
    /// Write the reply to this file instead of stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: Option<PathBuf>,
}

/// What the operator decides about plugins.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What plugins may do")]
pub(crate) struct Policies {
    /// Where a plugin runs: in-process or worker. May be given again for other plugins
    #[arg(long, value_name = "ID=PLACEMENT", value_parser = named::placement)]
    pub(crate) placement: Vec<For<Placement>>,
    /// How far a plugin is trusted: trusted, normal or untrusted. Native code in-process must be trusted
    #[arg(long, value_name = "ID=TRUST", value_parser = named::trust)]
    pub(crate) trust: Vec<For<Trust>>,
    /// Permit what a plugin asks for, or deny it with a leading `!`. May be given again
    #[arg(long, value_name = "ID=PERMISSION", value_parser = named::permission)]
    pub(crate) grant: Vec<For<Permission>>,
    /// A plugin's configuration, a JSON object: a file, @FILE, or the text itself
    #[arg(long, value_name = "ID=FILE|JSON", value_parser = named::text)]
    pub(crate) config: Vec<For<String>>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
