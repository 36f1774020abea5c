//! Asking a host from another process. Blocks.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use midplane_contract::{Code, Error, Result};
use serde_json::{Value, json};

use crate::method::Method;
use crate::seat::{SOCKET, fits};

/// A line to a host.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<UnixStream>,
}

/// Asks the host of a data folder one thing. `None` where no host has opened a door there.
///
/// # Errors
/// As [`Line::to`] and [`Line::ask`].
pub fn ask(folder: &Path, method: Method, params: Value) -> Result<Option<Value>> {
    Line::to(folder)?.map(|mut line| line.ask(method, params)).transpose()
}

impl Line {
    /// Connects. `None` where no host has opened a door there.
    ///
    /// # Errors
    /// `permission_denied` where the door is another user's, `io` for what else the system says.
    pub fn to(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(SOCKET);
        fits(&path)?;
        match UnixStream::connect(&path) {
            Ok(stream) => Ok(Some(Self { stream: BufReader::new(stream) })),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Error::new(Code::PermissionDenied, format!("{} is not yours", path.display()))
                    .remedy("ask as the user that the host runs as")
                    .caused_by(&error))
            }
            Err(error) => Err(Error::new(Code::Io, format!("{} cannot be reached", path.display()))
                .remedy("see whether the host still runs")
                .caused_by(&error)),
        }
    }

    /// Asks, and waits for the answer however long it takes.
    ///
    /// # Errors
    /// The host's own, whole; `peer_gone` when it ends before it has answered, `protocol_error` for what is no answer.
    pub fn ask(&mut self, method: Method, params: Value) -> Result<Value> {
        let request = json!({ "id": 1, "method": method.name(), "params": params });
        // A host that turns us away says so without having read anything.
        let asked = self.stream.get_mut().write_all(format!("{request}\n").as_bytes());
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        match (asked, read) {
            (_, Ok(some)) if some > 0 => answered(&line),
            (asked, read) => Err(lost(asked.err().or(read.err()))),
        }
    }
}

fn lost(cause: Option<io::Error>) -> Error {
    let error =
        Error::new(Code::PeerGone, "the host has gone before it answered").remedy("see why it ended, and ask again");
    cause.iter().fold(error, |error, cause| error.caused_by(cause))
}

fn answered(line: &str) -> Result<Value> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::new(Code::ProtocolError, format!("what the host answered is no answer: {why}"))
            .remedy("see that command and host are of the same version")
    };
    let mut answer: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
    match answer.get_mut("error").map(Value::take) {
        Some(error) => Err(serde_json::from_value::<Error>(error).unwrap_or_else(|error| wrong(&error))),
        None => answer.get_mut("result").map(Value::take).ok_or_else(|| wrong(&"it has no result")),
    }
}
