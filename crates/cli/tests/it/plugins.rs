//! Plugins made for these tests, once per run, in a folder that goes away.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

static MADE: LazyLock<TempDir> = LazyLock::new(make);

const GUEST: &str = "id: guest
name: Guest
version: 0.1.0
description: A guest for tests.
entry: { runtime: wasm, main: guest.wasm }
interfaces:
  actions: [echo, fail, spin, trap]
  file_types:
    - { extension: .txt, mime_type: text/plain, priority: 5, action: echo }
    - { extension: .dat, priority: 1, action: fail }
";

const TOOL: &str = "id: tool
name: Tool
version: 1.2.3
entry: { runtime: native, main: libtool.so }
interfaces:
  actions: [echo, upper, fail, hang, abort, log, chunks, empty]
  file_types:
    - { extension: .txt, mime_type: text/plain, priority: 9, action: upper }
";

/// The folder `plugins/` with the plugins `tool` and `guest`.
pub(crate) fn folder() -> PathBuf {
    MADE.path().join("plugins")
}

/// The native plugin.
pub(crate) fn tool() -> PathBuf {
    folder().join("tool")
}

/// The WebAssembly plugin.
pub(crate) fn guest() -> PathBuf {
    folder().join("guest")
}

/// Where the command keeps compiled code and copies.
pub(crate) fn cache() -> PathBuf {
    MADE.path().join("cache")
}

/// A plugin folder of its own with this manifest and, as `guest.wasm`, a module from text.
pub(crate) fn wasm(manifest: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    std::fs::write(folder.path().join("guest.wasm"), wat::parse_str(text).unwrap()).unwrap();
    folder
}

fn make() -> TempDir {
    let made = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plugins");
    let folder = |name: &str| {
        let folder = made.path().join("plugins").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    };
    let guest = folder("guest");
    std::fs::write(guest.join("plugin.yaml"), GUEST).unwrap();
    std::fs::write(guest.join("guest.wasm"), wat::parse_file(sources.join("guest.wat")).unwrap()).unwrap();
    let tool = folder("tool");
    std::fs::write(tool.join("plugin.yaml"), TOOL).unwrap();
    compile(&sources.join("tool.c"), &tool.join("libtool.so"));
    made
}

/// Makes a native library.
pub(crate) fn compile(source: &Path, library: &Path) {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract");
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-shared", "-fPIC", "-O1", "-I"]).arg(header).arg(source).arg("-o").arg(library);
    let output = cc.output().expect("a C compiler, `cc`, is needed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
