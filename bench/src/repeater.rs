//! Raw things that are `unsafe`, in programs of the runtimes' crates.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::plugins;

/// An example program of a runtime's crate that does the raw thing: it gets a number on a line, repeats so often, and
/// answers with a line: the nanoseconds that this took.
pub(crate) struct Repeater {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Repeater {
    /// Starts it with these arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        let path = plugins::program("examples")?.join(name);
        if fs::metadata(&path).is_err() {
            bail!("{} is not built; `cargo xtask bench` builds it", path.display());
        }
        let mut command = Command::new(path);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let ask = child.stdin.take().context("its input")?;
        let answers = BufReader::new(child.stdout.take().context("its output")?);
        Ok(Self { child, ask, answers })
    }

    /// Does it so many times; the time that this took.
    pub(crate) fn repeat(&mut self, times: u64) -> Result<Duration> {
        writeln!(self.ask, "{times}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let nanos = line.trim().parse().with_context(|| format!("the raw program answered `{}`", line.trim()))?;
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Repeater {
    fn drop(&mut self) {
        // It ends with its input; this only collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
