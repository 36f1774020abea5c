//! `cargo xtask guests`: builds the committed WebAssembly files from their sources, or checks that they are current.
//!
//! A guest is a package of this workspace built for `wasm32-unknown-unknown`: as it comes out it is a core module, and with
//! the SDK's feature `component` one more step makes it a component. `guests.lock` keeps, for each file, the hash of
//! what it was built from and its own, so that a stale file is found without a WebAssembly toolchain.

mod compile;
mod componentize;
mod lock;
mod shape;
mod toolchain;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::step::Step;
use crate::workspace;
use lock::{Entry, Lock};
use toolchain::Toolchain;

/// One committed WebAssembly file.
#[derive(Debug, Clone, Copy)]
struct Guest {
    /// The package that it is built from.
    package: &'static str,
    /// The package's folder.
    folder: &'static str,
    /// The library's name.
    library: &'static str,
    form: Form,
    /// Where it is committed.
    file: &'static str,
}

/// What a guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A component of the world in `contract/plugin.wit`.
    Component,
    /// A module by the ABI of `contract/core-wasm.md`.
    Core,
}

const GUESTS: &[Guest] = &[
    Guest {
        package: "midplane-example-text-stats",
        folder: "examples/text-stats",
        library: "text_stats",
        form: Form::Component,
        file: "examples/text-stats/text-stats.wasm",
    },
    Guest {
        package: "midplane-example-thumbnailer",
        folder: "examples/thumbnailer",
        library: "thumbnailer",
        form: Form::Component,
        file: "examples/thumbnailer/thumbnailer.wasm",
    },
    Guest {
        package: "midplane-probe",
        folder: "crates/testkit/guests/probe",
        library: "probe",
        form: Form::Component,
        file: "crates/testkit/guests/probe/probe.component.wasm",
    },
    Guest {
        package: "midplane-probe",
        folder: "crates/testkit/guests/probe",
        library: "probe",
        form: Form::Core,
        file: "crates/testkit/guests/probe/probe.core.wasm",
    },
];

/// The world as the SDK embeds it.
const WORLD: &str = "sdk/rust/src/backend/world.bin";

/// Runs `cargo xtask guests [--check]`.
///
/// # Errors
/// Unknown arguments, no toolchain, or a guest that does not build. With `--check`: files that are not current.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let root = workspace::root()?;
    match arguments {
        [] => write(&root)?,
        [flag] if flag == "--check" => check(&root)?,
        _ => bail!("`cargo xtask guests` takes nothing but --check"),
    }
    Ok(ExitCode::SUCCESS)
}

fn write(root: &Path) -> Result<()> {
    put(&root.join(WORLD), &componentize::world(root)?)?;
    let toolchain = Toolchain::find()?;
    let mut lock = Lock { compiler: toolchain.version()?, guests: Vec::new() };
    for guest in GUESTS {
        let step = Step::begin("Building a guest", guest.file);
        let wasm = built(root, &toolchain, guest)?;
        put(&root.join(guest.file), &wasm)?;
        lock.guests.push(Entry::of(root, guest, &wasm)?);
        step.done();
    }
    lock.write(root)
}

fn check(root: &Path) -> Result<()> {
    let step = Step::begin("Checking guests", "that the committed WebAssembly files fit their sources");
    let lock = Lock::read(root)?;
    let mut stale = Vec::new();
    if committed(root, WORLD)? != componentize::world(root)? {
        stale.push(format!("{WORLD} is not contract/plugin.wit"));
    }
    for guest in GUESTS {
        let now = Entry::of(root, guest, &committed(root, guest.file)?)?;
        stale.extend(lock.difference(&now));
    }
    if stale.is_empty() {
        rebuild(root, &lock, &mut stale)?;
    }
    step.done();
    if stale.is_empty() {
        return Ok(());
    }
    bail!("not current: {}; run `cargo xtask guests` and commit what changes", stale.join("; "))
}

/// Builds each guest again where there is a toolchain. The same compiler must give the same bytes, another one the same
/// imports and exports; what the committed files answer is for the tests of the examples and the conformance suite.
fn rebuild(root: &Path, lock: &Lock, stale: &mut Vec<String>) -> Result<()> {
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            eprintln!("    not built again: {missing:#}");
            return Ok(());
        }
    };
    let same_compiler = toolchain.version()? == lock.compiler;
    for guest in GUESTS {
        let (old, new) = (committed(root, guest.file)?, built(root, &toolchain, guest)?);
        if same_compiler && old != new {
            stale.push(format!("{} has other bytes when it is built again", guest.file));
        } else if shape::of(&old)? != shape::of(&new)? {
            stale.push(format!("{} has other imports or exports when it is built again", guest.file));
        }
    }
    Ok(())
}

fn built(root: &Path, toolchain: &Toolchain, guest: &Guest) -> Result<Vec<u8>> {
    let module = compile::module(root, toolchain, guest)?;
    match guest.form {
        Form::Core => Ok(module),
        Form::Component => componentize::component(&module).with_context(|| format!("making {}", guest.file)),
    }
}

fn committed(root: &Path, file: &str) -> Result<Vec<u8>> {
    std::fs::read(root.join(file)).with_context(|| format!("reading {file}; `cargo xtask guests` makes it"))
}

/// Writes a file when its content changes.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    eprintln!("    wrote {} ({} KiB)", path.display(), bytes.len().div_ceil(1024));
    Ok(())
}
