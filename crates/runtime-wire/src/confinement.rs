//! The seam where a jail goes around a child.

use std::process::Command;

use midplane_contract::Result;
use midplane_kernel::LoadRequest;

/// Puts limits around a child before it starts.
pub trait Confinement: Send + Sync + 'static {
    /// What it is called where the effective isolation is shown.
    fn name(&self) -> &'static str;

    /// Changes the command so that what starts is confined. Runs on the launcher's thread, right before the start.
    ///
    /// # Errors
    /// `not_supported` when this machine lacks what the confinement needs; the child is not started then.
    fn confine(&self, command: &mut Command, request: &LoadRequest) -> Result<()>;
}

/// No confinement: the child has the user's powers, in a process of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unconfined;

impl Confinement for Unconfined {
    fn name(&self) -> &'static str {
        "none"
    }

    fn confine(&self, _command: &mut Command, _request: &LoadRequest) -> Result<()> {
        Ok(())
    }
}
