//! `midplane completions`: completion scripts.

use clap::CommandFactory;
use serde_json::json;

use crate::args::{Cli, Completions};
use crate::exit::{Exit, Outcome};
use crate::output::Output;

/// Prints the script for a shell.
pub(super) fn completions(completions: &Completions, output: Output) -> Outcome<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Cli::command(), "midplane", &mut script);
    if output.is_json() {
        let shell = completions.shell.to_string();
        output.json(&json!({ "shell": shell, "script": String::from_utf8_lossy(&script) }))?;
    } else {
        output.bytes(&script)?;
    }
    Ok(Exit::Done)
}
