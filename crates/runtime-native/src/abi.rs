//! The structs of `contract/midplane.h`, ABI 1.0, field by field. The header explains them.

use std::ffi::c_void;

/// `MIDPLANE_ABI_MAJOR`.
pub(crate) const MAJOR: u32 = 1;
/// `MIDPLANE_ABI_MINOR`.
pub(crate) const MINOR: u32 = 0;
/// `MIDPLANE_OK`.
pub(crate) const OK: i32 = 0;
/// `MIDPLANE_ERROR`.
pub(crate) const ERROR: i32 = 1;
/// `MIDPLANE_PANICKED`.
pub(crate) const PANICKED: i32 = 2;
/// The name of the entry.
pub(crate) const ENTRY: &str = "midplane_plugin";
/// Largest table that a plugin may have, in bytes.
pub(crate) const TABLE_CAP: u32 = 4096;
/// Hooks behind `plugin_get_info`.
pub(crate) const HOOKS: usize = 16;

/// `midplane_sink`.
pub(crate) type SinkFn = unsafe extern "C" fn(*mut c_void, *const u8, usize);
/// `midplane_hook`.
pub(crate) type HookFn = unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut Call) -> i32;
/// `plugin_resolve_action`.
pub(crate) type ResolveFn = unsafe extern "C" fn(*const u8, usize) -> i32;
/// `plugin_call`.
pub(crate) type CallFn = unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut Call) -> i32;
/// `plugin_create`.
pub(crate) type CreateFn = unsafe extern "C" fn(*const Host, *const InstanceInfo, *mut Call, *mut *mut c_void) -> i32;
/// `plugin_destroy`.
pub(crate) type DestroyFn = unsafe extern "C" fn(*mut c_void);
/// `midplane_host.host_call`.
pub(crate) type HostCallFn = unsafe extern "C" fn(
    *const Host,
    *mut Call,
    *const u8,
    usize,
    *const u8,
    usize,
    *const u8,
    usize,
    Option<SinkFn>,
    *mut c_void,
) -> i32;
/// `midplane_host.error_set`.
pub(crate) type ErrorSetFn = unsafe extern "C" fn(*mut Call, *const u8, usize, *const u8, usize, i32, *const u8, usize);

/// `midplane_host`.
#[repr(C)]
pub(crate) struct Host {
    pub(crate) size: u32,
    pub(crate) abi_major: u32,
    pub(crate) abi_minor: u32,
    pub(crate) reserved: u32,
    pub(crate) reply_write: unsafe extern "C" fn(*mut Call, *const u8, usize) -> i32,
    pub(crate) error_set: ErrorSetFn,
    pub(crate) host_call: HostCallFn,
}

/// `midplane_call`.
#[repr(C)]
pub(crate) struct Call {
    pub(crate) size: u32,
    pub(crate) reserved: u32,
    pub(crate) host: *const Host,
}

/// `midplane_instance_info`.
#[repr(C)]
pub(crate) struct InstanceInfo {
    pub(crate) size: u32,
    pub(crate) number: u32,
    pub(crate) generation: u64,
    pub(crate) id: *const u8,
    pub(crate) id_len: usize,
    pub(crate) version: *const u8,
    pub(crate) version_len: usize,
}

/// `midplane_plugin_table`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) size: u32,
    pub(crate) abi_major: u32,
    pub(crate) abi_minor: u32,
    pub(crate) reserved: u32,
    pub(crate) plugin_resolve_action: Option<ResolveFn>,
    pub(crate) plugin_call: Option<CallFn>,
    pub(crate) plugin_create: Option<CreateFn>,
    pub(crate) plugin_destroy: Option<DestroyFn>,
    /// `plugin_get_info` and all that follow, in the order of [`midplane_contract::Hook::ALL`].
    pub(crate) hooks: [Option<HookFn>; HOOKS],
}

/// The bytes behind a pointer and a length.
///
/// # Safety
/// Unless `len` is 0, `data` is valid for `len` bytes for as long as the result is used.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as this function demands.
    unsafe { std::slice::from_raw_parts(data, len) }
}
