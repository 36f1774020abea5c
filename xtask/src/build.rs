//! The one way in which tasks build the workspace.
//!
//! Cargo picks the features of a dependency from the packages that are built together, so another selection of packages
//! would build wasmtime a second time. Every task selects `--workspace`.

use std::path::PathBuf;

use anyhow::Result;

use crate::step::Step;
use crate::{cargo, workspace};

/// Builds the `midplane` binary and every library, which the example and probe plugins are.
///
/// # Errors
/// When something does not build.
pub fn everything() -> Result<()> {
    let step = Step::begin(
        "Building",
        "the midplane command and the plugins; from cold this compiles a WebAssembly engine and takes some minutes",
    );
    cargo::run(&["build", "--workspace"])?;
    step.done();
    Ok(())
}

/// Builds every test of the workspace.
///
/// # Errors
/// When something does not build.
pub fn tests() -> Result<()> {
    let step = Step::begin("Building the tests", "every test binary of the workspace");
    cargo::run(&["test", "--workspace", "--no-run"])?;
    step.done();
    Ok(())
}

/// Builds a cargo example, a small program of ours, and says where it is.
///
/// # Errors
/// When it does not build.
pub fn program(example: &str) -> Result<PathBuf> {
    cargo::run(&["build", "--quiet", "--workspace", "--example", example])?;
    let folder = workspace::target_folder()?.join("debug").join("examples");
    Ok(folder.join(format!("{example}{}", std::env::consts::EXE_SUFFIX)))
}

/// Where [`everything`] leaves the `midplane` command.
///
/// # Errors
/// When cargo does not say where it builds.
pub fn midplane() -> Result<PathBuf> {
    let folder = workspace::target_folder()?.join("debug");
    Ok(folder.join(format!("midplane{}", std::env::consts::EXE_SUFFIX)))
}

/// What the bench is made of: itself, the plugin that it measures, and the programs that do the raw thing. The release
/// profile holds nothing else, so this selection builds wasmtime once as well.
const BENCH: &[&str] =
    &["midplane-bench", "midplane-probe", "midplane-runtime-js", "midplane-runtime-native", "midplane-runtime-wasm"];

/// Builds the bench in the release profile and says where it is.
///
/// # Errors
/// When it does not build.
pub fn bench() -> Result<PathBuf> {
    let step = Step::begin("Building", "everything with full optimization; from cold this takes some minutes");
    let packages = BENCH.iter().flat_map(|name| ["-p", name]);
    cargo::run(
        &["build", "--release", "--examples", "--bins", "--lib"].into_iter().chain(packages).collect::<Vec<_>>(),
    )?;
    step.done();
    let folder = workspace::target_folder()?.join("release");
    Ok(folder.join(format!("midplane-bench{}", std::env::consts::EXE_SUFFIX)))
}
