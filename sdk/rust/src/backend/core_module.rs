//! The backend for core modules: the entries and imports of `contract/core-wasm.md`.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::null_mut;

use crate::backend::guest::{self, Answer, Exported};
use crate::hook::Hook;
use crate::{Error, Level, Result};

mod sys {
    #[link(wasm_import_module = "midplane")]
    unsafe extern "C" {
        pub(super) fn log(level: u32, text: *const u8, len: usize);
        pub(super) fn panicked(text: *const u8, len: usize);
        pub(super) fn emit(bytes: *const u8, len: usize) -> i32;
        pub(super) fn host_call(
            function: *const u8,
            function_len: usize,
            args: *const u8,
            args_len: usize,
            payload: *const u8,
            payload_len: usize,
        ) -> u64;
        pub(super) fn host_result(at: *mut u8);
    }
}

const ERROR: u64 = 1 << 31;

pub(crate) fn log(level: Level, message: &str, fields: &str) {
    let with_fields;
    let text = if matches!(fields, "" | "{}" | "null") {
        message
    } else {
        with_fields = format!("{message} {fields}");
        &with_fields
    };
    // SAFETY: the host reads the text before it returns.
    unsafe { sys::log(level as u32, text.as_ptr(), text.len()) }
}

pub(super) fn panicked(text: &str) {
    // SAFETY: as above.
    unsafe { sys::panicked(text.as_ptr(), text.len()) }
}

pub(super) fn emit(chunk: &[u8]) -> bool {
    // SAFETY: as above.
    unsafe { sys::emit(chunk.as_ptr(), chunk.len()) == 0 }
}

pub(crate) fn host(function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
    // SAFETY: as above.
    let packed = unsafe {
        sys::host_call(function.as_ptr(), function.len(), args.as_ptr(), args.len(), payload.as_ptr(), payload.len())
    };
    #[expect(clippy::cast_possible_truncation, reason = "a length in 32-bit memory")]
    let len = (packed & (ERROR - 1)) as usize;
    let mut answer = vec![0; len];
    // SAFETY: there is room for the length that the host named.
    unsafe { sys::host_result(answer.as_mut_ptr()) }
    if packed & ERROR == 0 { Ok(answer) } else { Err(refused(&answer)) }
}

fn refused(answer: &[u8]) -> Error {
    serde_json::from_slice(answer)
        .unwrap_or_else(|_| Error::new("protocol_error", String::from_utf8_lossy(answer).into_owned()))
}

/// `plugin_alloc`.
#[must_use]
pub fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size.max(1)) {
        // SAFETY: the size is not 0.
        Ok(layout) => unsafe { alloc(layout) },
        Err(_) => null_mut(),
    }
}

/// `plugin_free`.
///
/// # Safety
/// The pointer is one of [`allocate`] for the same size, and is not used again.
pub unsafe fn free(at: *mut u8, size: usize) {
    if let (false, Ok(layout)) = (at.is_null(), Layout::array::<u8>(size.max(1))) {
        // SAFETY: the caller's promise.
        unsafe { dealloc(at, layout) }
    }
}

unsafe fn bytes<'a>(at: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: the host passes what it wrote into memory that this module allocated; it outlives the entry.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(at, len) } }
}

fn packed(answer: Answer) -> u64 {
    let (bytes, mark) = match answer {
        Answer::Nothing => return 0,
        Answer::Bytes(bytes) => (bytes, 0),
        Answer::Error(error) => (keep(serde_json::json!(error).to_string().into_bytes()), ERROR),
    };
    (bytes.as_ptr() as u64) << 32 | mark | bytes.len() as u64
}

/// Keeps the last error's text where the host can read it.
fn keep(text: Vec<u8>) -> &'static [u8] {
    static LAST: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *last = text;
    // SAFETY: nothing touches the buffer before the next error, and the host copies it before the next entry.
    unsafe { bytes(last.as_ptr(), last.len()) }
}

/// `plugin_call`.
///
/// # Safety
/// As the ABI says: the bytes are valid until this returns.
#[inline]
pub unsafe fn call<P: Exported>(action: u32, input: *const u8, len: usize) -> u64 {
    // SAFETY: the caller's promise.
    packed(guest::call::<P>(action, unsafe { bytes(input, len) }))
}

/// Any hook.
///
/// # Safety
/// As [`call`].
pub unsafe fn hook<P: Exported>(hook: Hook, input: *const u8, len: usize) -> u64 {
    // SAFETY: the caller's promise.
    packed(guest::hook::<P>(hook as u32, unsafe { bytes(input, len) }))
}

/// `plugin_resolve_action`.
///
/// # Safety
/// As [`call`].
pub unsafe fn resolve<P: Exported>(name: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    guest::resolve::<P>(unsafe { bytes(name, len) }).and_then(|number| i32::try_from(number).ok()).unwrap_or(-1)
}

/// `plugin_identify`.
///
/// # Safety
/// As [`call`].
pub unsafe fn identify<P: Exported>(json: *const u8, len: usize) {
    // SAFETY: the caller's promise.
    guest::identify::<P>(unsafe { bytes(json, len) });
}

/// `plugin_hooks`.
#[must_use]
pub fn hooks<P: Exported>() -> u32 {
    guest::hooks::<P>()
}

/// Exports the entries of the ABI.
#[doc(hidden)]
#[macro_export]
macro_rules! __midplane_export {
    ($plugin:ty, $stamp:expr) => {
        use $crate::backend::core_module as entry;

        impl $crate::backend::guest::Exported for $plugin {
            const STAMP: $crate::backend::Stamp = $stamp;

            fn slot() -> &'static $crate::backend::guest::Slot<Self> {
                static SLOT: $crate::backend::guest::Slot<$plugin> = $crate::backend::guest::Slot::new();
                &SLOT
            }
        }

        // SAFETY, for all entries: the names are the ABI's, a module has one plugin, and the host keeps the ABI.
        #[unsafe(no_mangle)]
        extern "C" fn plugin_alloc(size: usize) -> *mut u8 {
            entry::allocate(size)
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn plugin_free(at: *mut u8, size: usize) {
            // SAFETY: see above.
            unsafe { entry::free(at, size) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn plugin_call(action: u32, input: *const u8, len: usize) -> u64 {
            // SAFETY: see above.
            unsafe { entry::call::<$plugin>(action, input, len) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn plugin_resolve_action(name: *const u8, len: usize) -> i32 {
            // SAFETY: see above.
            unsafe { entry::resolve::<$plugin>(name, len) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn plugin_identify(json: *const u8, len: usize) {
            // SAFETY: see above.
            unsafe { entry::identify::<$plugin>(json, len) }
        }
        #[unsafe(no_mangle)]
        extern "C" fn plugin_hooks() -> u32 {
            entry::hooks::<$plugin>()
        }
        #[unsafe(no_mangle)]
        extern "C" fn plugin_get_info() -> u64 {
            // SAFETY: no bytes.
            unsafe { entry::hook::<$plugin>($crate::Hook::Info, ::core::ptr::null(), 0) }
        }
        $crate::__midplane_export_hooks!($plugin,
            plugin_validate_config ValidateConfig, plugin_init Init, plugin_start Start, plugin_stop Stop,
            plugin_cleanup Cleanup, plugin_health_check Health, plugin_ping Ping, plugin_get_config GetConfig,
            plugin_update_config ConfigChanged, plugin_handle_event Event, plugin_dependency_changed DependencyChanged,
            plugin_export_state ExportState, plugin_import_state ImportState, plugin_migrate Migrate,
            plugin_migrate_back MigrateBack);
    };
}

/// Exports the hooks, all of one shape.
#[doc(hidden)]
#[macro_export]
macro_rules! __midplane_export_hooks {
    ($plugin:ty, $($symbol:ident $hook:ident),+) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $symbol(input: *const u8, len: usize) -> u64 {
                // SAFETY: the host keeps the ABI.
                unsafe { $crate::backend::core_module::hook::<$plugin>($crate::Hook::$hook, input, len) }
            }
        )+
    };
}
