//! The plugin without hooks for each cell of the real runtimes: built here where it is not its own source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use midplane_testkit::conformance::Cell;
use midplane_testkit::{GoBuild, go_guest};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The code of the cell's guest.
pub(crate) fn code(cell: Cell) -> Vec<u8> {
    match cell {
        Cell::NativeInProcess | Cell::NativeWorker => LIBRARY.clone(),
        Cell::ComponentInProcess | Cell::ComponentWorker => component(),
        Cell::CoreInProcess | Cell::CoreWorker => wat::parse_file(source("core.wat")).unwrap(),
        Cell::JsInProcess | Cell::JsWorker | Cell::Node => fs::read(source("plugin.js")).unwrap(),
        Cell::Python => fs::read(source("plugin.py")).unwrap(),
        Cell::Go => go(GoBuild::Program),
        Cell::GoWasip1 => go(GoBuild::Module),
        Cell::GoCShared => go(GoBuild::Library),
        Cell::Text => fs::read(source("plugin.sh")).unwrap(),
        Cell::Fake | Cell::RemoteGrpc | Cell::WebSocket => panic!("{} is no real runtime of this crate", cell.name()),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn source(name: &str) -> PathBuf {
    root().join("crates/testkit/guests/bare").join(name)
}

fn go(build: GoBuild) -> Vec<u8> {
    let built = go_guest("bare-go", build, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("go"));
    fs::read(built.unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

static LIBRARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bare-{}.so", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c99", "-fPIC", "-shared", "-pedantic", "-Wall", "-Werror", "-o"]).arg(&library);
    for headers in ["contract", "sdk/c"] {
        compiler.arg("-I").arg(root().join(headers));
    }
    let built = compiler.arg(source("plugin.c")).output().unwrap();
    assert!(built.status.success(), "cc fails: {}", String::from_utf8_lossy(&built.stderr));
    let code = fs::read(&library).unwrap();
    fs::remove_file(library).unwrap();
    code
});

fn component() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_file(root().join("contract/plugin.wit")).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut module = wat::parse_file(source("component.wat")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}
