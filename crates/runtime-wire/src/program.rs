//! Which program is started, and how it learns that it is a child.

use std::ffi::OsString;
use std::path::PathBuf;

use midplane_contract::Result;
use midplane_kernel::LoadRequest;

use crate::channel::Channel;
use crate::runtime::Hosting;

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
    /// Variables beside those that every child gets. `entry.env` of the manifest goes before them.
    pub env: Vec<(OsString, OsString)>,
}

/// Decides which program runs a plugin: the interpreter that its engine names, its own executable, a worker.
pub trait Programs: Send + Sync + 'static {
    /// The program for this plugin. Runs before every start of a process, so what is slow is kept.
    ///
    /// # Errors
    /// What is missing on the machine or in the manifest, and how to get it.
    fn program(&self, request: &LoadRequest) -> Result<Program>;

    /// How the program is reached. Runs before every start of a process.
    ///
    /// # Errors
    /// What is wrong with what the manifest asks for.
    fn channel(&self, _request: &LoadRequest) -> Result<Channel> {
        Ok(Channel::default())
    }

    /// How many instances one process of this plugin hosts, where that is not what its runtime says.
    fn hosting(&self, _request: &LoadRequest) -> Option<Hosting> {
        None
    }

    /// Whether the host holds the memory limit, because the program cannot limit itself. It then sets `RLIMIT_DATA` when
    /// the process has greeted, to what that has and the limit together; the program is to answer an allocation that
    /// the system refuses, or to end with a word about memory.
    fn host_limits_memory(&self, _request: &LoadRequest) -> bool {
        false
    }
}

/// The same program whatever the plugin is.
impl Programs for Program {
    fn program(&self, _: &LoadRequest) -> Result<Program> {
        Ok(self.clone())
    }
}

impl Program {
    /// A program built on Midplane that calls [`crate::child::run_if_child`] first thing in `main`.
    #[must_use]
    pub fn worker(command: impl Into<PathBuf>) -> Self {
        let args = ["worker".into(), "--fd".into(), WIRE_FD.to_string().into()];
        Self { command: command.into(), args: args.to_vec(), env: Vec::new() }
    }

    /// Any other program that speaks the protocol.
    #[must_use]
    pub fn peer(command: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { command: command.into(), args: args.into_iter().map(Into::into).collect(), env: Vec::new() }
    }
}
