//! Variables of the environment that are set to nothing.

use clap::{Arg, Command};

/// The command without them: they are as good as not set, and nobody has typed an empty value.
pub(super) fn left_out(command: Command) -> Command {
    command.mut_args(of_use).mut_subcommands(left_out)
}

fn of_use(argument: Arg) -> Arg {
    let empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { argument.env(None::<&str>) } else { argument }
}
