//! A real Redis server for a test: its own, on this machine alone, and gone with the test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::{Scratch, eventually, process};

/// A server on a free port of 127.0.0.1. It keeps nothing on the disk: one that is killed comes back empty.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    arguments: Vec<String>,
    folder: Scratch,
    child: Option<Child>,
}

impl Redis {
    /// Starts one with more arguments, for example `--requirepass`.
    ///
    /// # Panics
    /// Without `redis-server`, which `cargo xtask test` installs.
    #[must_use]
    #[expect(clippy::panic, reason = "a test without its server is none")]
    pub fn start(arguments: &[&str]) -> Self {
        // Whoever else takes the port before the server does: another one is tried.
        for _ in 0..5 {
            let folder = Scratch::new("redis").unwrap_or_else(|error| panic!("no folder for a server: {error}"));
            let arguments = arguments.iter().map(ToString::to_string).collect();
            let mut server = Self { port: free_port(), arguments, folder, child: None };
            if server.begin() {
                return server;
            }
        }
        panic!("no Redis server could be started on a free port");
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it at once, without a word to anybody.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again where it was, once it was killed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn revive(&mut self) {
        assert!(eventually(|| self.begin()), "the server does not come back on port {}", self.port);
    }

    /// Has it do nothing until [`Redis::resume`]: it is there, accepts, and answers nobody.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Has it go on where it was.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let sent = process::signal(child.id().into(), signal);
            assert!(sent.is_ok(), "{sent:?}");
        }
    }

    /// What `redis-cli` says to these words.
    ///
    /// # Panics
    /// When there is no `redis-cli`.
    pub fn cli(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string(), "--no-auth-warning"]).args(words).output();
        let said = |output: Output| String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        output.map(said).unwrap_or_else(|error| missing("redis-cli", &error))
    }

    /// Whether it runs and answers.
    fn begin(&mut self) -> bool {
        let port = self.port.to_string();
        let folder = self.folder.path().display().to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", &folder]);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| missing("redis-server", &error));
        let mut ended = false;
        let answers = eventually(|| {
            ended = !matches!(child.try_wait(), Ok(None));
            ended || answers(self.port)
        });
        self.child = Some(child);
        if !answers || ended {
            self.kill();
        }
        self.child.is_some()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(clippy::panic, reason = "a test without its server is none")]
fn missing<T>(program: &str, error: &std::io::Error) -> T {
    panic!("{program} cannot be started ({error}): `cargo xtask test` installs it, or apt-get install redis-server")
}

#[expect(clippy::panic, reason = "a machine without a free port runs no tests")]
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).unwrap_or_else(|error| panic!("no free port: {error}"))
}

/// A server that is ready answers a ping, with PONG or that it wants a password.
fn answers(port: u16) -> bool {
    let mut answer = [0; 1];
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer))
    });
    asked.is_ok() && matches!(answer, [b'+' | b'-'])
}
