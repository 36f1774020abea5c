//! Node, which runs the JavaScript side of connections.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A program that goes with the test.
pub(crate) struct Program(pub(crate) Child, Option<File>);

impl Program {
    pub(crate) fn new(child: Child) -> Self {
        Self(child, None)
    }

    /// What it has printed.
    pub(crate) fn output(&mut self) -> String {
        let mut output = String::new();
        let read =
            self.1.as_mut().map(|file| file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut output)));
        read.transpose().unwrap();
        output
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/js")
}

/// Starts Node with a script of the SDK. Before version 22 its WebSocket has to be asked for.
pub(crate) fn start(script: &str, arguments: &[&str], token: &str) -> Program {
    static FLAG: OnceLock<Option<&'static str>> = OnceLock::new();
    let flag = FLAG.get_or_init(|| {
        let version = Command::new("node").arg("--version").output().expect("Node is needed: apt-get install nodejs");
        let version = String::from_utf8(version.stdout).unwrap();
        let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|text| text.parse().ok()).unwrap();
        (major < 22).then_some("--experimental-websocket")
    });
    let mut command = Command::new("node");
    command.args(flag).arg("--no-warnings").arg(sdk().join(script)).args(arguments);
    let output = tempfile::tempfile().unwrap();
    command.env("MIDPLANE_TOKEN", token).stdin(Stdio::null());
    command.stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
    Program(command.spawn().unwrap(), Some(output))
}
