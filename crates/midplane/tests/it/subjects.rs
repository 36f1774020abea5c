//! How each cell is reached: the probe plugin, built or committed, under a kernel with every runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use midplane::{Builder, Kernel, Placement, PluginId, Policy, Trust};
use midplane_testkit::conformance::{Cell, PERMISSIONS, Site, Subject, full_is_asked_for, of_version};
use midplane_testkit::{Fake, GoBuild, PluginFolder, Sabotage, go_guest, memory, probe, process};
use serde_json::{Map, Value, json};

use crate::bare;

/// A cell of the real runtimes.
pub(crate) struct Real {
    cell: Cell,
    runtime: &'static str,
    main: &'static str,
    code: Vec<u8>,
}

fn real(cell: Cell, runtime: &'static str, main: &'static str, path: PathBuf) -> Real {
    midplane::worker::use_executable(built("midplane"));
    let code =
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` makes it", path.display()));
    Real { cell, runtime, main, code }
}

/// A file that `cargo build --workspace` leaves in the profile's folder; the tests lie in `deps` below it.
fn built(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join(name)
}

fn guest(name: &str) -> PathBuf {
    guest_in("probe", name)
}

pub(crate) fn guest_in(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/guests").join(folder).join(name)
}

pub(crate) fn native_in_process() -> Real {
    real(Cell::NativeInProcess, "native", "libprobe.so", built("libprobe.so"))
}

pub(crate) fn native_worker() -> Real {
    real(Cell::NativeWorker, "native", "libprobe.so", built("libprobe.so"))
}

pub(crate) fn component_in_process() -> Real {
    real(Cell::ComponentInProcess, "wasm", "probe.wasm", guest("probe.component.wasm"))
}

pub(crate) fn component_worker() -> Real {
    real(Cell::ComponentWorker, "wasm", "probe.wasm", guest("probe.component.wasm"))
}

pub(crate) fn core_in_process() -> Real {
    real(Cell::CoreInProcess, "wasm", "probe.wasm", guest("probe.core.wasm"))
}

pub(crate) fn core_worker() -> Real {
    real(Cell::CoreWorker, "wasm", "probe.wasm", guest("probe.core.wasm"))
}

pub(crate) fn js_in_process() -> Real {
    real(Cell::JsInProcess, "js", "plugin.js", guest_in("probe-js", "plugin.js"))
}

pub(crate) fn js_worker() -> Real {
    real(Cell::JsWorker, "js", "plugin.js", guest_in("probe-js", "plugin.js"))
}

pub(crate) fn node() -> Real {
    real(Cell::Node, "js", "plugin.js", guest_in("probe-js", "plugin.js"))
}

pub(crate) fn python() -> Real {
    real(Cell::Python, "python", "plugin.py", guest_in("probe-python", "plugin.py"))
}

pub(crate) fn text() -> Real {
    real(Cell::Text, "script", "plugin.sh", guest_in("probe-text", "plugin.sh"))
}

pub(crate) fn go() -> Real {
    real(Cell::Go, "process", "probe", go_built(GoBuild::Program))
}

pub(crate) fn go_wasip1() -> Real {
    real(Cell::GoWasip1, "wasm", "probe.wasm", go_built(GoBuild::Module))
}

pub(crate) fn go_c_shared() -> Real {
    real(Cell::GoCShared, "native", "libprobe.so", go_built(GoBuild::Library))
}

/// The one source of the cells of Go, built in one of its ways.
fn go_built(build: GoBuild) -> PathBuf {
    go_guest("probe-go", build, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("go"))
        .unwrap_or_else(|error| panic!("{error}"))
}

impl Real {
    fn folder(&self, id: &str, code: Vec<u8>) -> PluginFolder {
        let folder = PluginFolder::new(id, self.runtime, self.main, code).executable();
        let engine = json!({ "runtime": self.runtime, "main": self.main, "engine": "node" });
        if self.cell == Cell::Node { folder.with("entry", engine) } else { folder }
    }
}

impl Subject for Real {
    fn cell(&self) -> Cell {
        self.cell
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let folder = self.folder(id, of_version(&self.code, version).unwrap());
        folder.with("version", "0.1.0").with("permissions", PERMISSIONS.to_vec())
    }

    fn bare(&self, id: &str) -> PluginFolder {
        self.folder(id, bare::code(self.cell))
    }

    fn policy(&self) -> Policy {
        let placement = if self.cell.is_worker() { Placement::Worker } else { Placement::InProcess };
        Policy { trust: Trust::Trusted, placement: Some(placement), ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        if self.cell == Cell::GoWasip1 {
            // Go's whole runtime takes a minute to compile without optimization: once, not in each check.
            return midplane::kernel().cache(Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"));
        }
        midplane::kernel().cache(cache)
    }

    /// One real cell has the full numbers always.
    fn full(&self) -> bool {
        self.cell == Cell::ComponentInProcess || full_is_asked_for()
    }

    fn kill(&self, _: &PluginId, details: &Map<String, Value>) -> Result<(), String> {
        process::of(details).ok_or("its details name no process").map(process::kill)?
    }

    fn remains(&self, site: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let folder = site.folder().display().to_string();
        let mapped = memory::is_mapped(&folder).then(|| format!("code from {folder} is mapped"));
        mapped.or_else(|| process::left(details))
    }
}

/// The fake runtime's cell; sabotaged or not.
pub(crate) struct Likeness(Fake, bool);

pub(crate) fn fake() -> Likeness {
    Likeness(Fake::new().program("probe", probe()).program("bare", midplane_testkit::bare()), false)
}

pub(crate) fn sabotaged(sabotage: Sabotage) -> Likeness {
    Likeness(Fake::sabotaged(sabotage).program("probe", probe()).program("bare", midplane_testkit::bare()), true)
}

impl Subject for Likeness {
    fn cell(&self) -> Cell {
        Cell::Fake
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let code = of_version(b"probe\nprobe-version-01", version).unwrap();
        PluginFolder::fake(id, std::str::from_utf8(&code).unwrap()).with("permissions", PERMISSIONS.to_vec())
    }

    fn bare(&self, id: &str) -> PluginFolder {
        PluginFolder::fake(id, "bare")
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn kernel(&self, cache: &Path) -> Builder {
        let web = midplane_fetch::Client::new(midplane_fetch::Settings::default());
        Kernel::builder().runtime(Arc::new(self.0.clone())).cache(cache).fetch(Arc::new(web))
    }

    fn kill(&self, _: &PluginId, _: &Map<String, Value>) -> Result<(), String> {
        Err("it has no process".to_owned())
    }

    fn remains(&self, _: &Site<'_>, _: &Map<String, Value>) -> Option<String> {
        let (loaded, instances) = (self.0.loaded(), self.0.instances());
        (!loaded.is_empty() || instances > 0).then(|| format!("{loaded:?} and {instances} instances"))
    }

    fn release(&self) {
        self.0.release();
    }

    fn full(&self) -> bool {
        !self.1
    }

    fn patience(&self) -> Duration {
        if self.1 { Duration::from_secs(5) } else { midplane_testkit::PATIENCE }
    }
}
