//! A command line that is not to be carried out: it is wrong, or asks for help or the version.

use std::ffi::OsString;

use clap::error::ErrorKind;
use midplane::CONTRACT_VERSION;
use serde_json::json;

use super::Format;
use crate::exit::{Exit, Stop};
use crate::notice;
use crate::output::Output;
use crate::report;

/// What to say instead of carrying out a command.
pub(crate) struct Refusal {
    error: clap::Error,
    output: Output,
}

impl Refusal {
    /// The format is looked for in the arguments themselves: they could not be read as a whole.
    pub(super) fn new(error: clap::Error, arguments: &[OsString]) -> Self {
        let after = |word: &OsString| arguments.iter().skip_while(|one| *one != word).nth(1).cloned();
        let separate = after(&"--output".into()).is_some_and(|format| format == "json");
        let format = match separate || arguments.iter().any(|one| one == "--output=json") {
            true => Format::Json,
            false => Format::Text,
        };
        Self { error, output: Output { format } }
    }

    /// Says it, and how the process ends.
    pub(crate) fn show(self) -> Exit {
        let shown = match self.error.kind() {
            ErrorKind::DisplayVersion => self.version(),
            ErrorKind::DisplayHelp => self.help(),
            _ => return self.wrong(),
        };
        match shown {
            Ok(()) | Err(Stop::ReaderGone) => Exit::Done,
            Err(stop) => report::stop(stop, self.output),
        }
    }

    fn version(&self) -> Result<(), Stop> {
        if !self.output.is_json() {
            return self.output.text(&self.error.to_string());
        }
        let version = env!("CARGO_PKG_VERSION");
        self.output.json(&json!({ "name": "midplane", "version": version, "contract": CONTRACT_VERSION.to_string() }))
    }

    fn help(&self) -> Result<(), Stop> {
        let text = self.error.render();
        match notice::colour(&std::io::stdout()) {
            true => self.output.text(&text.ansi().to_string()),
            false => self.output.text(&text.to_string()),
        }
    }

    fn wrong(&self) -> Exit {
        let text = self.error.render();
        if self.output.is_json() {
            let text = text.to_string();
            let (message, remedy) = text.split_once("\n\n").unwrap_or((&text, "see `midplane --help`"));
            let message = message.trim().trim_start_matches("error: ");
            return report::stop(Stop::usage(message, remedy.trim()), self.output);
        }
        match notice::colour(&std::io::stderr()) {
            true => notice::write_as_is(&text.ansi().to_string()),
            false => notice::write(text.to_string().trim_end()),
        }
        Exit::Usage
    }
}
