//! Node, which runs the JavaScript side of connections.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A program that goes with the test.
pub(crate) struct Program(pub(crate) Child);

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
    command.env("MIDPLANE_TOKEN", token).stdin(Stdio::null());
    if std::env::var_os("MIDPLANE_TEST_OUTPUT").is_none() {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    Program(command.spawn().unwrap())
}
