//! The command, started as a user would start it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::plugins;

/// The command with these arguments, a clean environment, and nothing on stdin.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    program(env!("CARGO_BIN_EXE_midplane"), arguments)
}

/// The same under another name of the executable.
pub(crate) fn program<S: AsRef<OsStr>>(path: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).env_clear().env("XDG_CACHE_HOME", plugins::cache()).stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked at"), "{stderr}");
        Self { code: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the error that JSON output shows.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        let error = json.get("error").unwrap_or_else(|| panic!("no error in {json}"));
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        error["code"].as_str().unwrap().to_owned()
    }
}

/// Runs it to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Done {
    Done::of(command(arguments).output().unwrap())
}

/// Runs it to its end with this on stdin.
pub(crate) fn feed<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>, input: &[u8]) -> Done {
    let mut child = piped(command(arguments).stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The command need not read it all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let done = Done::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    done
}

/// Starts it with pipes to read from.
pub(crate) fn piped(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// `run PLUGIN --call ADDRESS` and more.
pub(crate) fn calling(plugin: PathBuf, address: &str, more: &[&str]) -> Vec<String> {
    let start = ["run".to_owned(), plugin.display().to_string(), "--call".to_owned(), address.to_owned()];
    start.into_iter().chain(more.iter().map(|one| (*one).to_owned())).collect()
}
