//! The threads that connections live on: one runtime for all plugins, made when the first is loaded.

use std::io;
use std::sync::LazyLock;

use midplane_contract::{Code, Error, Result};
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that read and write. Work that blocks has others.
const THREADS: usize = 2;

static ENGINE: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("midplane-grpc").enable_all().build()
});

/// The runtime's handle.
pub(crate) fn engine() -> Result<&'static Handle> {
    match &*ENGINE {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(Error::new(Code::Io, "the threads for gRPC connections could not be started")
            .remedy("allow this process more threads")
            .caused_by(error)),
    }
}
