//! The command's stdout: text, raw bytes, or one JSON document.

use std::io::{self, IsTerminal, Write};

use midplane::{Code, Error};
use serde::Serialize;

use crate::args::Format;
use crate::exit::{Outcome, Stop};

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// For people or for programs.
    pub(crate) format: Format,
}

impl Output {
    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Whether a person reads stdout directly.
    pub(crate) fn is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes bytes as they are, and sees that they arrive.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(not_written)
    }

    /// Writes text, ending with a line's end.
    pub(crate) fn text(self, text: &str) -> Outcome<()> {
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        self.bytes(format!("{text}{end}").as_bytes())
    }

    /// Writes the one JSON document: indented for a terminal, otherwise on one line.
    pub(crate) fn json(self, document: &impl Serialize) -> Outcome<()> {
        let json = match self.is_terminal() {
            true => serde_json::to_string_pretty(document),
            false => serde_json::to_string(document),
        };
        let json =
            json.map_err(|error| Error::new(Code::Internal, "the result cannot be written as JSON").caused_by(&error))?;
        self.text(&json)
    }
}

/// A reader that went away is no fault; anything else is one.
fn not_written(error: io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::ReaderGone,
        _ => Error::new(Code::Io, "the result cannot be written")
            .caused_by(&error)
            .remedy("see whether the disk is full, or write to another place with --save")
            .into(),
    }
}
