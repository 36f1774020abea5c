//! Raw peers of other languages: a process and a socket, frames of a length and bytes, and nothing else.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, anyhow};

use crate::outcome::NotHere;

/// A process that echoes frames on its standard input.
pub(crate) struct Peer {
    stream: UnixStream,
    child: Child,
}

impl Peer {
    /// Starts it.
    pub(crate) fn start<A: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { stream, child })
    }

    /// One frame with so many bytes there and back, so many times.
    pub(crate) fn one_by_one(&mut self, bytes: usize, times: u64) -> Result<()> {
        let mut frame = u32::try_from(bytes)?.to_le_bytes().to_vec();
        frame.resize(4 + bytes, 7);
        for _ in 0..times {
            self.stream.write_all(&frame)?;
            self.stream.read_exact(&mut frame)?;
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // How long it would take to end by itself is nobody's question.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of an interpreter or compiler: where its variable says, or on the search path.
///
/// # Errors
/// [`NotHere`], in words.
pub(crate) fn interpreter(name: &str, variable: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| NotHere(format!("`{name}` is not installed, or not on the search path")).into())
}

/// The interpreter itself, where what is on the search path is a script that looks for it each time.
pub(crate) fn python() -> Result<PathBuf> {
    let found = interpreter("python3", "MIDPLANE_PYTHON")?;
    let asked = Command::new(&found).args(["-I", "-S", "-c", "import sys; print(sys.executable)"]).output();
    let asked = asked.with_context(|| format!("asking {} for its path", found.display()))?;
    let path = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    Ok(if path.is_file() { path } else { found })
}

/// Builds a Go program of one folder.
///
/// # Errors
/// [`NotHere`] where there is no Go; what the compiler says.
pub(crate) fn go_build(folder: &Path, into: &Path) -> Result<()> {
    let mut command = Command::new(interpreter("go", "MIDPLANE_GO")?);
    command.current_dir(folder).args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(into).arg(".");
    // Nothing is fetched: the SDK lies in this repository and needs nothing else.
    command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off")]);
    let output = command.output().context("starting go")?;
    let told = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| anyhow!("go build in {}: {told}", folder.display()))
}

/// Writes a program of one file.
pub(crate) fn written(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::create_dir_all(folder)?;
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
