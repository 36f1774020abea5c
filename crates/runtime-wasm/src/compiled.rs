//! Compiled code, and turning its stored bytes back into it. The one place here that trusts bytes.

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

    /// Takes back what [`Compiled::serialize`] gave.
    ///
    /// The caller has checked that nobody but this user could have written the bytes and that they are whole.
    #[expect(unsafe_code, reason = "loading compiled code is unsafe by nature")]
    pub(crate) fn deserialize(engine: &Engine, format: Format, stored: &[u8]) -> Result<Self> {
        // `crate::cache` hands over only bytes that it read from a file which this user alone may write, in a
        // folder of which the same is true, and which an engine of the same compatibility hash wrote: their hash was
        // stored with them and fits. wasmtime checks its own version and settings in them once more. They are copied,
        // so nothing that happens to the file afterwards matters.
        match format {
            // SAFETY: as said above.
            Format::Core => unsafe { Module::deserialize(engine, stored) }.map(Self::Core),
            // SAFETY: as said above.
            Format::Component => unsafe { Component::deserialize(engine, stored) }.map(Self::Component),
        }
    }
}
