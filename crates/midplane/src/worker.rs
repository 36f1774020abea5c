//! Workers: child processes that host one plugin each, with the same runtimes as the host.

#[cfg(feature = "worker")]
pub(crate) use with::Worker;
#[cfg(feature = "worker")]
pub use with::{run_if_child, use_executable};

/// Without the feature `worker` no process is ever started as one.
#[cfg(not(feature = "worker"))]
pub fn run_if_child() {}

#[cfg(feature = "worker")]
mod with {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};

    use midplane_contract::{Code, Error, Result};
    use midplane_kernel::LoadRequest;
    use midplane_runtime_wire::{Program, Programs};

    /// This program's `main` begins with [`run_if_child`]: it may be started again as a worker.
    static PREPARED: AtomicBool = AtomicBool::new(false);
    static EXECUTABLE: Mutex<Option<PathBuf>> = Mutex::new(None);

    /// In a process that was started as a worker: hosts its plugin and ends the process when the host lets go of it.
    /// In any other process: returns at once. Call it first thing in `main`, before threads and output.
    pub fn run_if_child() {
        PREPARED.store(true, Ordering::SeqCst);
        midplane_runtime_wire::child::run_if_child(|| crate::compose::in_process(crate::compose::Host::ForOne));
    }

    /// Names the executable that is started as a worker, for programs whose own `main` cannot begin with
    /// [`run_if_child`]: the `midplane` command, or any program that does.
    pub fn use_executable(path: impl Into<PathBuf>) {
        *EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.into());
    }

    /// The worker of this program. Which executable that is counts at the load that needs it.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Worker;

    impl Programs for Worker {
        fn program(&self, _: &LoadRequest) -> Result<Program> {
            executable().map(Program::worker)
        }
    }

    fn executable() -> Result<PathBuf> {
        let named = EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(path) = named {
            return Ok(path);
        }
        if !PREPARED.load(Ordering::SeqCst) {
            return Err(Error::new(Code::NotSupported, "this program is not prepared to be started as a worker")
                .remedy("call midplane::worker::run_if_child() first thing in main, or name an executable with midplane::worker::use_executable"));
        }
        std::env::current_exe()
            .map_err(|error| Error::new(Code::Io, "the path of this program cannot be found").caused_by(&error))
    }
}
