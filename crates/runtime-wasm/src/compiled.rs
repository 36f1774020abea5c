//! Compiled code, and turning its stored bytes back into it. The one place here that trusts bytes.

use std::fs::File;
use std::os::fd::AsRawFd;

use wasmtime::component::Component;
use wasmtime::{Engine, Module, Result};

use crate::header::Format;

/// Compiled code, shared by all instances.
#[derive(Clone)]
pub(crate) enum Compiled {
    /// A core module.
    Core(Module),
    /// A component.
    Component(Component),
}

impl Compiled {
    /// Compiles a file's bytes. Takes milliseconds to seconds, on all processors.
    pub(crate) fn compile(engine: &Engine, format: Format, wasm: &[u8]) -> Result<Self> {
        match format {
            Format::Core => Module::from_binary(engine, wasm).map(Self::Core),
            Format::Component => Component::from_binary(engine, wasm).map(Self::Component),
        }
    }

    /// The bytes to store.
    pub(crate) fn serialize(&self) -> Result<Vec<u8>> {
        match self {
            Self::Core(module) => module.serialize(),
            Self::Component(component) => component.serialize(),
        }
    }

    /// Takes back what [`Compiled::serialize`] gave, from a file that begins with it. The file is mapped, not read: what
    /// is never executed is never brought into memory.
    ///
    /// The caller has checked that nobody but this user could have written the file and that it is whole.
    #[expect(unsafe_code, reason = "loading compiled code is unsafe by nature")]
    pub(crate) fn map(engine: &Engine, format: Format, file: &File) -> Result<Self> {
        // `crate::cache` hands over only files that this user alone may write, in a folder of which the same is true, and
        // which an engine of the same compatibility hash wrote: the hash of their content was stored with them and fits.
        // wasmtime checks its own version and settings in them once more. They are replaced by renaming, never written
        // again, so the mapping stays what it is. By its descriptor it is this very file, whatever its name means by now.
        let path = format!("/dev/fd/{}", file.as_raw_fd());
        match format {
            // SAFETY: as said above.
            Format::Core => unsafe { Module::deserialize_file(engine, path) }.map(Self::Core),
            // SAFETY: as said above.
            Format::Component => unsafe { Component::deserialize_file(engine, path) }.map(Self::Component),
        }
    }
}
