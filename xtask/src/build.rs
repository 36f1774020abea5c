//! The one way in which tasks build the workspace.
//!
//! Cargo picks the features of a dependency from the packages that are built together: another selection of packages
//! would build wasmtime a second time. So everything is built together, the tests included, each time.

use anyhow::Result;

use crate::cargo;
use crate::step::Step;

/// What every task passes to `cargo build`.
pub const SELECTION: &[&str] = &["--workspace", "--all-targets"];

/// Builds the `midplane` binary, the example and probe plugins and all tests.
///
/// # Errors
/// When something does not build.
pub fn everything() -> Result<()> {
    let step = Step::begin(
        "Building",
        "the workspace, its example and probe plugins and its tests; from cold this compiles wasmtime, some minutes",
    );
    cargo::run_command(cargo::command().arg("build").args(SELECTION))?;
    step.done();
    Ok(())
}
