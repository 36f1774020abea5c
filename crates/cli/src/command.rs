//! The commands: what each does with what was typed.

mod bus;
mod catalog;
mod check;
mod completions;
mod config;
mod grants;
mod hosted;
mod inspect;
mod installed;
mod list;
mod new;
mod open;
mod resolve;
mod routes;
mod run;
mod status;
mod table;
mod test;

use midplane::{Code, Error};
use midplane_node::Method;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Outcome, Stop};
use crate::host::block_on;
use crate::output::Output;
use crate::{logging, notice, report};

/// Carries out a command and says how the process ends.
pub(crate) fn run(cli: Cli) -> Exit {
    let output = Output { format: cli.global.output };
    if cli.global.quiet {
        notice::be_quiet();
    }
    let usual = if matches!(cli.command, Command::Test(_)) { logging::TESTING } else { logging::USUAL };
    let begun = logging::start(cli.global.verbose, cli.global.quiet, usual);
    let done = begun.and_then(|()| carry_out(cli.command, output));
    done.unwrap_or_else(|stop| report::stop(stop, output))
}

fn carry_out(command: Command, output: Output) -> Outcome<Exit> {
    match command {
        Command::New(command) => new::new(&command, output),
        Command::Run(run) => block_on(run::run(run, output)),
        Command::Open(open) => block_on(open::open(open, output)),
        Command::Check(check) => block_on(check::check(check, output)),
        Command::Test(test) => block_on(test::test(test, output)),
        Command::Inspect(inspect) => block_on(inspect::inspect(inspect, output)),
        Command::List(list) => block_on(list::list(list, output)),
        Command::Routes(routes) => block_on(routes::routes(routes, output)),
        Command::Resolve(resolve) => block_on(resolve::resolve(resolve, output)),
        Command::Config(config) => config::config(config, output),
        Command::Catalog(command) => catalog::catalog(&command.doing, output),
        Command::Status(status) => block_on(status::status(status, output)),
        Command::Install(install) => block_on(hosted::install(install, output)),
        Command::Uninstall(uninstall) => block_on(hosted::uninstall(uninstall, output)),
        Command::Unload(unload) => block_on(hosted::unload(unload, output)),
        Command::Load(named) => block_on(hosted::change(named, Method::Load, output)),
        Command::Start(named) => block_on(hosted::change(named, Method::Start, output)),
        Command::Stop(named) => block_on(hosted::change(named, Method::Stop, output)),
        Command::Restart(named) => block_on(hosted::change(named, Method::Restart, output)),
        Command::Reload(named) => block_on(hosted::change(named, Method::Reload, output)),
        Command::Enable(named) => block_on(hosted::change(named, Method::Enable, output)),
        Command::Disable(named) => block_on(hosted::change(named, Method::Disable, output)),
        Command::Grant(grant) => block_on(grants::grant(grant, output)),
        Command::Revoke(revoke) => block_on(grants::revoke(revoke, output)),
        Command::Grants(shown) => block_on(grants::grants(shown, output)),
        Command::Bus(bus) => block_on(bus::bus(bus, output)),
        Command::Completions(completions) => completions::completions(&completions, output),
        Command::Worker(_) => {
            let remedy = "use `midplane run`; it starts workers itself, where a plugin's placement asks for one";
            Err(Stop::usage("a worker is started by its host, never by hand", remedy))
        }
    }
}

/// What a thread that was to read or write and did not come back means.
pub(crate) fn lost_thread(error: tokio::task::JoinError) -> Error {
    Error::new(Code::Internal, "a thread of the command was lost").caused_by(&error)
}
