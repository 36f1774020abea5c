//! What can go wrong in a guest, and what it is called in the contract.

use midplane_contract::{Code, Error};
use serde_json::{Map, Value};
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::state::{GuestState, Stop};

/// Why a call, a hook or an instantiation failed.
pub(crate) enum Fault {
    /// The engine stopped the guest; its memory is in doubt.
    Engine(wasmtime::Error),
    /// The guest broke the ABI; its memory is in doubt.
    Broken(Error),
    /// An error that leaves the guest whole: the plugin's own, or a limit that the host saw in time.
    Clean(Error),
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Engine(error)
    }
}

/// The error of something that the engine stopped, by its cause.
pub(crate) fn explain(error: &wasmtime::Error, state: &mut GuestState) -> Error {
    let words = state.last_words.take();
    match error.downcast_ref::<Stop>() {
        Some(Stop::Deadline) => {
            return Error::new(Code::DeadlineExceeded, "the plugin was stopped: its time was over")
                .remedy("give the call a longer deadline, or the plugin less to do");
        }
        Some(Stop::Cancelled) => return Error::new(Code::Cancelled, "the plugin was stopped: the caller gave up"),
        None => {}
    }
    if let Some(host) = error.downcast_ref::<Error>() {
        return host.clone();
    }
    if let Some(limit) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return Error::new(Code::LimitExceeded, format!("no room for another WebAssembly instance: {limit}"))
            .remedy("unload plugins, lower `instances.max`, or raise the pool of the WebAssembly runtime")
            .with("which", "instances")
            .recoverable(true);
    }
    if let Some(denied) = state.limiter.error() {
        let error = denied.with("trap", format!("{:#}", error.root_cause()));
        return match words {
            Some(words) => error.because(&Error::new(Code::Panicked, words)),
            None => error,
        };
    }
    match words {
        Some(words) => Error::new(Code::Panicked, words).caused_by(error.root_cause()),
        None => trapped(error),
    }
}

/// A pointer or length of the guest that is outside its memory.
pub(crate) fn invalid_access(what: &str, at: u32, len: u32, size: usize) -> Error {
    Error::new(
        Code::Trapped,
        format!("invalid memory access: {what} names {len} bytes at {at:#x}, the memory has {size}"),
    )
    .with("trap", "invalid memory access")
}

/// What the plugin answered as its own error: whole in `data`, as in every runtime.
pub(crate) fn plugin_error(code: String, message: String, recoverable: bool, data: Map<String, Value>) -> Error {
    let mut error = Error::new(Code::PluginError, message.clone())
        .recoverable(recoverable)
        .with("code", code)
        .with("message", message)
        .with("recoverable", recoverable);
    if !data.is_empty() {
        error = error.with("data", data);
    }
    error
}

fn trapped(error: &wasmtime::Error) -> Error {
    let Some(trap) = error.downcast_ref::<Trap>() else {
        return Error::new(Code::Trapped, format!("the plugin was stopped: {:#}", error.root_cause()))
            .caused_by(error.as_ref());
    };
    let (name, text) = match trap {
        Trap::StackOverflow => ("stack_overflow", "stack overflow: its calls are nested too deeply".to_owned()),
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => {
            ("memory_out_of_bounds", format!("invalid memory access: {trap}"))
        }
        Trap::TableOutOfBounds => ("table_out_of_bounds", trap.to_string()),
        Trap::UnreachableCodeReached => {
            ("unreachable", "it ran into `unreachable` (a panic or an assertion)".to_owned())
        }
        Trap::IntegerDivisionByZero => ("integer_division_by_zero", trap.to_string()),
        Trap::IntegerOverflow => ("integer_overflow", trap.to_string()),
        Trap::IndirectCallToNull | Trap::BadSignature => ("indirect_call", trap.to_string()),
        other => ("other", other.to_string()),
    };
    Error::new(Code::Trapped, format!("the plugin trapped: {text}")).with("trap", name).caused_by(error.as_ref())
}
