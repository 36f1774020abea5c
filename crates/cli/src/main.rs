//! The `midplane` command: loads plugins, calls them, routes files to them, checks and shows them.
//!
//! The way through: [`args`] (what can be typed) → [`command`] (one file per command) → [`host`] (a kernel with the
//! plugins that were named) → [`reply`] and [`output`] (what goes to stdout). Everything that is said to people beside the
//! result goes to stderr: [`notice`], [`logging`], [`report`]. How it ends is one table: [`exit`].

#![forbid(unsafe_code)]

mod args;
mod code;
mod command;
mod door;
mod exit;
mod folders;
mod host;
mod input;
mod interrupt;
mod logging;
mod nearest;
mod notice;
mod output;
mod policies;
mod reply;
mod report;
mod save;
mod stale;
mod unusable;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A worker is this program started again: it hosts its plugin here and never comes back.
    midplane::worker::run_if_child();
    let exit = match args::read(std::env::args_os()) {
        Ok(cli) => command::run(cli),
        Err(refusal) => refusal.show(),
    };
    ExitCode::from(exit.number())
}
