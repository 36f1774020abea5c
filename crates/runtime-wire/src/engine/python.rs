//! Python plugins: CPython 3.9 or newer with the SDK of `sdk/python`, in a process per instance.
//!
//! Which interpreter: the first that is there of `MIDPLANE_PYTHON` in `entry.env`, `MIDPLANE_PYTHON` of the host,
//! `entry.engine` (a name on the search path, `python3.12`), the plugin's own `.venv` or `venv`, `python3` and others
//! on the search path. The SDK needs no installing: its files are part of this crate and are laid into the cache. A
//! plugin with `requirements.txt`, or else with a `pyproject.toml` that has dependencies, gets a virtual environment,
//! made once for its content and interpreter. Why it is done so: `docs/adr/0007-python.md`.

mod environment;
mod interpreter;
mod lock;
mod sdk;
mod tool;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use crate::program::{Program, Programs};
use interpreter::Interpreter;

/// Finds interpreters and prepares what they import.
///
/// A start costs a few looks at the file system; asking an interpreter for its version, laying out the SDK and making
/// an environment happen once. Making one needs the network and takes as long as the packages do, ten minutes at most.
#[derive(Debug, Default)]
pub struct Python {
    known: Mutex<HashMap<interpreter::Seen, Interpreter>>,
}

impl Python {
    /// One that has not looked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Programs for Python {
    fn program(&self, request: &LoadRequest) -> Result<Program> {
        let interpreter = interpreter::find(request, &self.known)?;
        let script = sdk::BUNDLE.unpack(&request.cache)?.join(sdk::PROGRAM);
        let folder = request.cache.join("python");
        let packages = match &interpreter.packages {
            // An environment that the author brought is complete.
            Some(packages) => Some((interpreter.command.clone(), packages.clone())),
            None => match lock::of(&request.folder)? {
                Some(lock) => Some(environment::get(&folder, &interpreter, &lock, request)?),
                None => None,
            },
        };
        let (command, packages) = match packages {
            Some((command, packages)) => (command, Some(packages)),
            None => (interpreter.command, None),
        };
        // Isolated from the user's environment and packages, without `site`, which would look at a dozen folders;
        // unbuffered, so that the last words before a crash are heard.
        let args = ["-I", "-S", "-u", "-X", "utf8"].map(OsString::from);
        let args = args.into_iter().chain([script.into()]).chain(packages.map(Into::into)).collect();
        Ok(Program { command, args, env: Vec::new() })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error about a file of the cache or of the plugin.
fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{} cannot be {what}: {error}", path.display()))
        .remedy("see whether this user may write there and the disk has room")
}

/// Makes a folder that only this user may look into.
fn private_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed("made", path, &error))
}

/// A name that no other process or thread uses.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    format!("{}-{}-{nanos:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The beginning of a SHA-256, as text: 96 bits.
fn short_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(12).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
