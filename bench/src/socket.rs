//! The raw limit of workers: a Unix socket between two processes, frames of a length and bytes, and nothing else.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode};

use anyhow::{Context, Result};
use tempfile::TempDir;

const VARIABLE: &str = "MIDPLANE_BENCH_ECHO";
/// Bytes of a frame: as many as one of ours with 64 bytes of payload, about.
const FRAME: usize = 24 + 64;

/// In the child: answers every frame until the other side goes.
pub(crate) fn run_if_echo() -> Option<ExitCode> {
    let path = std::env::var_os(VARIABLE)?;
    let done = UnixStream::connect(path).and_then(echo);
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn echo(mut stream: UnixStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut have = 0;
    loop {
        let free = buffer.get_mut(have..).unwrap_or_default();
        let read = stream.read(free)?;
        if read == 0 {
            return Ok(());
        }
        have += read;
        let whole = have - have % FRAME;
        stream.write_all(buffer.get(..whole).unwrap_or_default())?;
        buffer.copy_within(whole..have, 0);
        have -= whole;
    }
}

/// A child that echoes frames.
pub(crate) struct Echo {
    stream: UnixStream,
    child: Child,
    _folder: TempDir,
}

impl Echo {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("echo");
        let listener = UnixListener::bind(&path)?;
        let own = std::env::current_exe().context("finding this program")?;
        let child = Command::new(own).env(VARIABLE, &path).spawn().context("starting the echo process")?;
        let (stream, _) = listener.accept()?;
        Ok(Self { stream, child, _folder: folder })
    }

    /// One frame there and back, so many times.
    pub(crate) fn one_by_one(&mut self, times: u64) -> Result<()> {
        let mut frame = [7; FRAME];
        for _ in 0..times {
            self.stream.write_all(&frame)?;
            self.stream.read_exact(&mut frame)?;
        }
        Ok(())
    }

    /// So many frames with up to so many of them under way, each written by itself, as callers that know nothing of
    /// each other write them.
    pub(crate) fn in_flight(&mut self, times: u64, most: u64) -> Result<()> {
        let one = [7; FRAME];
        let mut replies = vec![0; 64 * 1024];
        let (mut sent, mut received) = (0_u64, 0_u64);
        let frame = FRAME as u64;
        while received < times * frame {
            let under_way = sent - received / frame;
            let next = (most - under_way).min(times - sent);
            for _ in 0..next {
                self.stream.write_all(&one)?;
            }
            sent += next;
            received += self.stream.read(&mut replies)? as u64;
        }
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // The child ends when its stream ends; this only collects it.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let _ = self.child.wait();
    }
}
