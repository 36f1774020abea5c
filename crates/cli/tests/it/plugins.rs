//! Plugins made for these tests, once per run, in a folder that the next run takes away.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

static MADE: LazyLock<PathBuf> = LazyLock::new(make);

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
    MADE.join("plugins")
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
    MADE.join("cache")
}

/// A plugin folder of its own with this manifest and, as `guest.wasm`, a module from text.
pub(crate) fn wasm(manifest: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    std::fs::write(folder.path().join("guest.wasm"), wat::parse_str(text).unwrap()).unwrap();
    folder
}

fn make() -> PathBuf {
    let runs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    // Nothing that is static is dropped: what earlier runs have made is still there.
    for run in std::fs::read_dir(&runs).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(run.file_name()).exists() {
            let _ = std::fs::remove_dir_all(run.path());
        }
    }
    let made = runs.join(std::process::id().to_string());
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plugins");
    let folder = |name: &str| {
        let folder = made.join("plugins").join(name);
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
