//! The backend for components: the world of `contract/plugin.wit`, in the canonical ABI, by hand.
//!
//! Written by hand rather than generated because the world is small and one thing matters on the call path: inputs arrive
//! in a buffer that is kept, and replies leave from one, so a call allocates nothing.

use std::alloc::{Layout, alloc, handle_alloc_error, realloc};
use std::cell::{Cell, UnsafeCell};

use serde_json::{Map, Value};

use crate::backend::guest::{self, Answer, Exported};
use crate::{Error, Level, Result};

mod sys {
    #[link(wasm_import_module = "midplane:plugin/output@1.0.0")]
    unsafe extern "C" {
        pub(super) fn log(level: u32, message: *const u8, message_len: usize, fields: *const u8, fields_len: usize);
        pub(super) fn panicked(text: *const u8, len: usize);
    }
    #[link(wasm_import_module = "midplane:plugin/reply@1.0.0")]
    unsafe extern "C" {
        pub(super) fn emit(bytes: *const u8, len: usize) -> u32;
    }
    #[link(wasm_import_module = "midplane:plugin/host@1.0.0")]
    unsafe extern "C" {
        pub(super) fn request(
            function: *const u8,
            function_len: usize,
            args: *const u8,
            args_len: usize,
            payload: *const u8,
            payload_len: usize,
            result: *mut super::Returned,
        );
    }
}

/// The largest result of any entry or import: `result<option<list<u8>>, error>`, in 32-bit words.
#[doc(hidden)]
#[repr(C, align(8))]
#[derive(Debug, Default)]
pub struct Returned(UnsafeCell<[u32; 8]>);

// SAFETY: a module without shared memory has one thread.
unsafe impl Sync for Returned {}

static RETURNED: Returned = Returned(UnsafeCell::new([0; 8]));

/// Gives a result to the host, which reads it before the next entry.
fn returned(words: [u32; 8]) -> *const Returned {
    // SAFETY: one thread; nobody else holds the words while an entry runs.
    unsafe { *RETURNED.0.get() = words };
    &raw const RETURNED
}

pub(crate) fn log(level: Level, message: &str, fields: &str) {
    // SAFETY: the host reads the texts before it returns.
    unsafe { sys::log(level as u32, message.as_ptr(), message.len(), fields.as_ptr(), fields.len()) }
}

pub(super) fn panicked(text: &str) {
    // SAFETY: as above.
    unsafe { sys::panicked(text.as_ptr(), text.len()) }
}

pub(super) fn emit(chunk: &[u8]) -> bool {
    // SAFETY: as above.
    unsafe { sys::emit(chunk.as_ptr(), chunk.len()) != 0 }
}

pub(crate) fn host(function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
    let mut result = Returned::default();
    // SAFETY: as above; the host writes the result where there is room for it.
    unsafe {
        sys::request(
            function.as_ptr(),
            function.len(),
            args.as_ptr(),
            args.len(),
            payload.as_ptr(),
            payload.len(),
            &raw mut result,
        );
    }
    let [tag, a, b, c, d, recoverable, e, f] = *result.0.get_mut();
    // SAFETY: the host allocated each of them through `cabi_realloc` during this call, and they are ours.
    unsafe {
        if tag & 0xff == 0 {
            return Ok(owned(a, b));
        }
        let text = |at, len| String::from_utf8_lossy(&owned(at, len)).into_owned();
        let (code, message, data) = (text(a, b), text(c, d), owned(e, f));
        let data: Map<String, Value> = serde_json::from_slice(&data).unwrap_or_default();
        let error = data.into_iter().fold(Error::new(code, message), |error, (key, value)| error.with(&key, value));
        Err(if recoverable & 0xff == 0 { error } else { error.recoverable() })
    }
}

unsafe fn owned(at: u32, len: u32) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise: `cabi_realloc` made it with exactly this size.
    unsafe { Vec::from_raw_parts(at as *mut u8, len as usize, len as usize) }
}

/// The buffer for inputs, kept from entry to entry, and whether an entry runs.
struct Inputs {
    buffer: UnsafeCell<Vec<u8>>,
    busy: Cell<bool>,
}

// SAFETY: a module without shared memory has one thread.
unsafe impl Sync for Inputs {}

static INPUTS: Inputs = Inputs { buffer: UnsafeCell::new(Vec::new()), busy: Cell::new(false) };

/// `cabi_realloc`. Before an entry, memory for its input: every entry of the world takes at most one. During an
/// entry, memory that the plugin will own.
///
/// # Safety
/// As the canonical ABI says.
pub unsafe fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if old.is_null() && !INPUTS.busy.get() && align == 1 {
        // SAFETY: no entry runs, so nobody holds a slice of the buffer.
        let buffer = unsafe { &mut *INPUTS.buffer.get() };
        if buffer.capacity() < size {
            *buffer = Vec::with_capacity(size.next_power_of_two());
        }
        return buffer.as_mut_ptr();
    }
    let Ok(layout) = Layout::from_size_align(size.max(1), align) else { return align as *mut u8 };
    // SAFETY: sizes are not 0; the old pointer is from here, by the ABI.
    let at = unsafe {
        match Layout::from_size_align(old_size, align) {
            Ok(before) if !old.is_null() && old_size > 0 => realloc(old, before, size.max(1)),
            _ => alloc(layout),
        }
    };
    if at.is_null() {
        handle_alloc_error(layout)
    }
    at
}

/// Runs an entry on its input.
#[inline]
fn entered<T>(input: *const u8, len: usize, run: impl FnOnce(&[u8]) -> T) -> T {
    INPUTS.busy.set(true);
    // SAFETY: the host wrote the input into the kept buffer, which nobody touches while `busy` is set.
    let input = if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(input, len) } };
    let outcome = run(input);
    INPUTS.busy.set(false);
    outcome
}

fn word(at: *const u8) -> u32 {
    at as u32
}

fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// The words of `result<_, error>`'s error. Its texts stay until the next one.
#[cold]
fn error_words(error: Error) -> [u32; 8] {
    static LAST: std::sync::Mutex<Option<(Error, String)>> = std::sync::Mutex::new(None);
    let data = if error.data.is_empty() { String::new() } else { serde_json::json!(error.data).to_string() };
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (error, data) = last.insert((error, data));
    let text = |text: &str| (word(text.as_ptr()), length(text.as_bytes()));
    let ((a, b), (c, d), (e, f)) = (text(&error.code), text(&error.message), text(data));
    [1, a, b, c, d, u32::from(error.recoverable), e, f]
}

/// `call`.
#[inline]
pub fn call<P: Exported>(action: u32, input: *const u8, len: usize) -> *const Returned {
    returned(match entered(input, len, |input| guest::call::<P>(action, input)) {
        Answer::Bytes(bytes) => [0, word(bytes.as_ptr()), length(bytes), 0, 0, 0, 0, 0],
        Answer::Nothing => [0; 8],
        Answer::Error(error) => error_words(error),
    })
}

/// `hook`.
pub fn hook<P: Exported>(number: u32, input: *const u8, len: usize) -> *const Returned {
    returned(match entered(input, len, |input| guest::hook::<P>(number, input)) {
        Answer::Bytes(bytes) => [0, 1, word(bytes.as_ptr()), length(bytes), 0, 0, 0, 0],
        Answer::Nothing => [0; 8],
        Answer::Error(error) => error_words(error),
    })
}

/// `describe`.
pub fn describe<P: Exported>() -> *const Returned {
    let info = entered(std::ptr::null(), 0, |_| guest::hook::<P>(0, &[]));
    let (at, len) = match info {
        Answer::Bytes(bytes) => (word(bytes.as_ptr()), length(bytes)),
        Answer::Nothing | Answer::Error(_) => (0, 0),
    };
    returned([at, len, guest::hooks::<P>(), 0, 0, 0, 0, 0])
}

/// `resolve-action`.
pub fn resolve<P: Exported>(name: *const u8, len: usize) -> *const Returned {
    returned(match entered(name, len, guest::resolve::<P>) {
        Some(number) => [1, number, 0, 0, 0, 0, 0, 0],
        None => [0; 8],
    })
}

/// `identify`.
pub fn identify<P: Exported>(json: *const u8, len: usize) {
    entered(json, len, guest::identify::<P>);
}

/// Exports the entries of the world, and the world itself for the tool that makes the component.
#[doc(hidden)]
#[macro_export]
macro_rules! __midplane_export {
    ($plugin:ty, $stamp:expr) => {
        use $crate::backend::component as entry;

        impl $crate::backend::guest::Exported for $plugin {
            const STAMP: $crate::backend::Stamp = $stamp;

            fn slot() -> &'static $crate::backend::guest::Slot<Self> {
                static SLOT: $crate::backend::guest::Slot<$plugin> = $crate::backend::guest::Slot::new();
                &SLOT
            }
        }

        #[used]
        // SAFETY: the section's name is the one that tools look for, its content is made from plugin.wit.
        #[unsafe(link_section = "component-type:midplane:plugin@1.0.0:plugin")]
        static WORLD: [u8; $crate::backend::component::WORLD.len()] = *$crate::backend::component::WORLD;

        // SAFETY, for all entries: the names are the world's, a module has one plugin, the host keeps the ABI.
        #[unsafe(export_name = "cabi_realloc")]
        unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
            // SAFETY: see above.
            unsafe { entry::cabi_realloc(old, old_size, align, size) }
        }
        #[unsafe(export_name = "midplane:plugin/guest@1.0.0#describe")]
        extern "C" fn describe() -> *const entry::Returned {
            entry::describe::<$plugin>()
        }
        #[unsafe(export_name = "midplane:plugin/guest@1.0.0#identify")]
        extern "C" fn identify(json: *const u8, len: usize) {
            entry::identify::<$plugin>(json, len);
        }
        #[unsafe(export_name = "midplane:plugin/guest@1.0.0#resolve-action")]
        extern "C" fn resolve_action(name: *const u8, len: usize) -> *const entry::Returned {
            entry::resolve::<$plugin>(name, len)
        }
        #[unsafe(export_name = "midplane:plugin/guest@1.0.0#call")]
        extern "C" fn call(action: u32, input: *const u8, len: usize) -> *const entry::Returned {
            entry::call::<$plugin>(action, input, len)
        }
        #[unsafe(export_name = "midplane:plugin/guest@1.0.0#hook")]
        extern "C" fn hook(number: u32, input: *const u8, len: usize) -> *const entry::Returned {
            entry::hook::<$plugin>(number, input, len)
        }
    };
}

/// The world, encoded for tools that make components. Written by `cargo xtask guests`.
pub const WORLD: &[u8; include_bytes!("world.bin").len()] = include_bytes!("world.bin");
