//! How the cells of Go are reached.

use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{Placement, Result, RuntimeKind, Trust};
use midplane_kernel::{Builder, Kernel, LoadRequest, Policy};
use midplane_runtime_native::NativeRuntime;
use midplane_runtime_wire::{FD_VARIABLE, Program, Programs, WIRE_FD, WireRuntime};
use midplane_testkit::conformance::{Cell, Site, Subject};
use midplane_testkit::{GoBuild, PluginFolder, go_probe, memory};
use serde_json::{Map, Value};

/// A cell of Go.
pub(crate) struct Go {
    cell: Cell,
    code: Vec<u8>,
}

pub(crate) fn built(build: GoBuild) -> PathBuf {
    go_probe(build, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("go")).unwrap()
}

pub(crate) fn go() -> Go {
    Go { cell: Cell::Go, code: fs::read(built(GoBuild::Program)).unwrap() }
}

pub(crate) fn go_c_shared() -> Go {
    Go { cell: Cell::GoCShared, code: fs::read(built(GoBuild::Library)).unwrap() }
}

/// The plugin's own file is the program.
struct Main;

impl Programs for Main {
    fn program(&self, request: &LoadRequest) -> Result<Program> {
        Ok(Program::peer(request.main.clone(), [""; 0]))
    }
}

/// A worker that hosts native libraries: this program again, in one of its tests.
fn native_worker() -> Program {
    let test = "go::subject::is_a_worker_when_it_is_started_as_one";
    Program::peer(std::env::current_exe().unwrap(), [test, "--exact", "--nocapture"])
}

#[test]
fn is_a_worker_when_it_is_started_as_one() {
    if std::env::var(FD_VARIABLE).is_ok_and(|fd| fd == WIRE_FD.to_string()) {
        // SAFETY: whoever starts a worker puts a socket there for it.
        let wire = unsafe { OwnedFd::from_raw_fd(WIRE_FD) };
        midplane_runtime_wire::child::serve(wire.into(), vec![Arc::new(NativeRuntime::new())]);
    }
}

impl Subject for Go {
    fn cell(&self) -> Cell {
        self.cell
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let (runtime, main) = if self.cell == Cell::Go { ("process", "probe") } else { ("native", "libprobe.so") };
        PluginFolder::new(id, runtime, main, of_version(&self.code, version))
            .executable()
            .with("version", "0.1.0")
            .with("permissions", vec!["plugin.call", "state.read"])
    }

    fn policy(&self) -> Policy {
        Policy { trust: Trust::Trusted, placement: Some(Placement::Worker), ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        let runtime = if self.cell == Cell::Go {
            WireRuntime::new(RuntimeKind::Process, Main)
        } else {
            WireRuntime::new(RuntimeKind::Native, native_worker())
        };
        Kernel::builder().runtime(Arc::new(runtime)).cache(cache)
    }

    fn remains(&self, site: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let folder = site.folder().display().to_string();
        let mapped = memory::is_mapped(&folder).then(|| format!("code from {folder} is mapped"));
        let process = details.get("pid").filter(|pid| Path::new(&format!("/proc/{pid}")).exists());
        mapped.or_else(|| process.map(|pid| format!("the worker {pid}")))
    }
}

/// The same code with another version in it: what a change of the source would make of it.
fn of_version(code: &[u8], version: u8) -> Vec<u8> {
    const MARK: &[u8] = b"probe-version-01";
    let places: Vec<usize> =
        code.windows(MARK.len()).enumerate().filter(|(_, w)| *w == MARK).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the probe has no version to change");
    let mut changed = code.to_vec();
    for place in places {
        changed[place + MARK.len() - 1] = b'0' + version;
    }
    changed
}
