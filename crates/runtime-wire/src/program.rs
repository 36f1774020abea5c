//! Which program is started, and how it learns that it is a child.

use std::ffi::OsString;
use std::path::PathBuf;

/// The descriptor on which every child finds its wire.
pub const WIRE_FD: i32 = 3;
/// The environment variable that tells a child its descriptor.
pub const FD_VARIABLE: &str = "MIDPLANE_FD";

/// An executable that speaks the wire protocol on descriptor [`WIRE_FD`].
///
/// Every child finds the descriptor's number in the variable [`FD_VARIABLE`]. A program that may also be started by
/// people recognizes itself as a worker by its arguments as well: they are exactly `worker --fd 3`
/// (see [`crate::child::run_if_child`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Program {
    /// A program built on Midplane that calls [`crate::child::run_if_child`] first thing in `main`.
    #[must_use]
    pub fn worker(command: impl Into<PathBuf>) -> Self {
        let args = ["worker".into(), "--fd".into(), WIRE_FD.to_string().into()];
        Self { command: command.into(), args: args.to_vec() }
    }

    /// Any other program that speaks the protocol.
    #[must_use]
    pub fn peer(command: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { command: command.into(), args: args.into_iter().map(Into::into).collect() }
    }
}
