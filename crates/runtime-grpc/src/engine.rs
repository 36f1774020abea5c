//! The thread that connections live on: one for all plugins, made when the first is loaded.

use std::io;
use std::sync::LazyLock;
use std::thread;

use midplane_contract::{Code, Error, Result};
use tokio::runtime::{Builder, Handle};

/// One thread reads and writes for all: a call that passes through several takes up to twice as long. Work that blocks has
/// threads of its own.
static ENGINE: LazyLock<io::Result<Handle>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name("midplane-grpc".to_owned());
    thread.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
});

/// The runtime's handle.
pub(crate) fn engine() -> Result<&'static Handle> {
    ENGINE.as_ref().map_err(|error| {
        Error::new(Code::Io, "the thread for gRPC connections could not be started")
            .remedy("allow this process more threads")
            .caused_by(error)
    })
}
