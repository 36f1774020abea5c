//! What both WebAssembly backends share: the one instance of a module, its buffers, and its last words.

use std::cell::UnsafeCell;
use std::panic::PanicHookInfo;

use serde::Deserialize;

use crate::backend::{Backend, Failure, Running, Sink, Stamp, abi};
use crate::hook::Hook;
use crate::info::Identity;
use crate::{Error, Plugin, Result};

/// A plugin that `plugin!` exports.
pub trait Exported: Plugin {
    /// What the module was built from.
    const STAMP: Stamp;

    /// The one instance of the module.
    fn slot() -> &'static Slot<Self>;
}

/// The one instance of a module, made when it is first needed.
pub struct Slot<P>(UnsafeCell<State<P>>);

struct State<P> {
    running: Option<Running<P>>,
    identity: Option<Identity>,
    output: Vec<u8>,
}

// SAFETY: a WebAssembly module without shared memory has one thread, and the host enters it once at a time.
unsafe impl<P> Sync for Slot<P> {}

impl<P> Slot<P> {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(State { running: None, identity: None, output: Vec::new() }))
    }
}

impl<P> Default for Slot<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> std::fmt::Debug for Slot<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot")
    }
}

/// What an entry answers; the bytes stay valid until the next entry.
pub(super) enum Answer {
    /// The reply of an action or hook.
    Bytes(&'static [u8]),
    /// There is no such hook.
    Nothing,
    /// The plugin's own error.
    Error(Error),
}

#[expect(clippy::mut_from_ref, reason = "one thread, entered once at a time")]
fn state<P: Exported>() -> &'static mut State<P> {
    // SAFETY: see `Slot`. No entry calls another while it holds this: the host enters again only after it returned,
    // and what the plugin itself runs never reaches the entries.
    unsafe { &mut *P::slot().0.get() }
}

fn running<P: Exported>(state: &mut State<P>) -> Result<&mut Running<P>, Failure> {
    if state.running.is_none() {
        std::panic::set_hook(Box::new(last_words));
        let identity = state.identity.take().unwrap_or_default();
        state.running = Some(Running::new(identity, P::STAMP)?);
    }
    state.running.as_mut().ok_or_else(|| Failure::Panicked(String::new()))
}

fn last_words(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("a panic that carried no text");
    match panic.location() {
        Some(place) => abi::panicked(&format!("{text} ({place})")),
        None => abi::panicked(text),
    }
}

/// Runs an action.
#[inline]
pub(super) fn call<P: Exported>(action: u32, input: &[u8]) -> Answer {
    let state = state::<P>();
    let mut output = std::mem::take(&mut state.output);
    output.clear();
    let mut reply = Chunked { last: output, begun: false };
    let outcome = running(state).and_then(|running| running.call(action, input, &mut reply, &Way));
    state.output = reply.last;
    match outcome {
        Ok(()) => Answer::Bytes(&state.output),
        Err(failure) => failed(failure),
    }
}

/// Runs a hook.
pub(super) fn hook<P: Exported>(number: u32, input: &[u8]) -> Answer {
    let state = state::<P>();
    let mut output = std::mem::take(&mut state.output);
    output.clear();
    let known = Hook::from_number(number as usize);
    let outcome = running(state).and_then(|running| match known {
        Some(hook) => running.hook(hook, input, &mut output, &Way),
        None => Ok(false),
    });
    state.output = output;
    match outcome {
        Ok(true) => Answer::Bytes(&state.output),
        Ok(false) => Answer::Nothing,
        Err(failure) => failed(failure),
    }
}

#[cold]
fn failed(failure: Failure) -> Answer {
    match failure {
        Failure::Error(error) => Answer::Error(error),
        Failure::Panicked(said) => {
            // Only where panics unwind; the host treats both ways alike.
            abi::panicked(&said);
            std::process::abort()
        }
    }
}

/// The number of an action.
pub(super) fn resolve<P: Exported>(name: &[u8]) -> Option<u32> {
    let running = running(state::<P>()).ok()?;
    running.resolve(std::str::from_utf8(name).ok()?)
}

/// The hooks that the plugin defines, by number.
pub(super) fn hooks<P: Exported>() -> u32 {
    let Ok(running) = running(state::<P>()) else { return 0 };
    Hook::ALL.iter().filter(|hook| running.has(**hook)).fold(0, |mask, hook| mask | 1 << (*hook as u32))
}

/// Takes what the host says of this instance: JSON.
pub(super) fn identify<P: Exported>(json: &[u8]) {
    #[derive(Deserialize)]
    struct Said {
        id: String,
        version: String,
        generation: u64,
        number: u32,
    }
    if let Ok(Said { id, version, generation, number }) = serde_json::from_slice(json) {
        state::<P>().identity = Some(Identity { id, version, generation, instance: number });
    }
}

/// A reply: each write is a chunk, the last of which is the answer of the entry itself.
struct Chunked {
    last: Vec<u8>,
    begun: bool,
}

impl Sink for Chunked {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.begun && !abi::emit(&self.last) {
            return Err(Error::new("cancelled", "nobody reads the reply any longer"));
        }
        self.begun = true;
        self.last.clear();
        self.last.extend_from_slice(bytes);
        Ok(())
    }
}

/// The way to the host. `Context` takes the shorter way, so that a plugin which never asks imports nothing that waits.
struct Way;

impl Backend for Way {
    fn host(&self, function: &str, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::new("not_supported", format!("{function} is asked through the context")))
    }
}
