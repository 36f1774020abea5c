//! The structs of `contract/midplane.h`, ABI 1.0, field by field. The header explains them.

use std::ffi::c_void;

use crate::info::Identity;

/// `MIDPLANE_ABI_MAJOR`.
pub(super) const MAJOR: u32 = 1;
/// `MIDPLANE_ABI_MINOR`.
pub(super) const MINOR: u32 = 0;
/// `MIDPLANE_OK`.
pub(super) const OK: i32 = 0;
/// `MIDPLANE_ERROR`.
pub(super) const ERROR: i32 = 1;
/// `MIDPLANE_PANICKED`.
pub(super) const PANICKED: i32 = 2;

/// `midplane_sink`.
pub(super) type SinkFn = unsafe extern "C" fn(*mut c_void, *const u8, usize);
/// `midplane_hook`.
pub(super) type HookFn = unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut Call) -> i32;

/// `midplane_host`.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    size: u32,
    abi_major: u32,
    abi_minor: u32,
    reserved: u32,
    pub(super) reply_write: unsafe extern "C" fn(*mut Call, *const u8, usize) -> i32,
    pub(super) error_set: unsafe extern "C" fn(*mut Call, *const u8, usize, *const u8, usize, i32, *const u8, usize),
    pub(super) host_call: unsafe extern "C" fn(
        *const Self,
        *mut Call,
        *const u8,
        usize,
        *const u8,
        usize,
        *const u8,
        usize,
        Option<SinkFn>,
        *mut c_void,
    ) -> i32,
}

/// `midplane_call`.
#[repr(C)]
#[derive(Debug)]
pub struct Call {
    size: u32,
    reserved: u32,
    pub(super) host: *const Host,
}

/// `midplane_instance_info`.
#[repr(C)]
#[derive(Debug)]
pub struct InstanceInfo {
    size: u32,
    number: u32,
    generation: u64,
    id: *const u8,
    id_len: usize,
    version: *const u8,
    version_len: usize,
}

/// `midplane_plugin_table`.
#[repr(C)]
#[derive(Debug)]
pub struct Table {
    pub(super) size: u32,
    pub(super) abi_major: u32,
    pub(super) abi_minor: u32,
    pub(super) reserved: u32,
    pub(super) plugin_resolve_action: Option<unsafe extern "C" fn(*const u8, usize) -> i32>,
    pub(super) plugin_call: Option<unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut Call) -> i32>,
    pub(super) plugin_create:
        Option<unsafe extern "C" fn(*const Host, *const InstanceInfo, *mut Call, *mut *mut c_void) -> i32>,
    pub(super) plugin_destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub(super) plugin_get_info: Option<HookFn>,
    /// `plugin_validate_config` and all that follow.
    pub(super) hooks: [Option<HookFn>; 15],
}

/// The bytes behind a pointer and a length.
///
/// # Safety
/// Unless `len` is 0, `data` is valid for `len` bytes for as long as the result is used.
#[inline]
pub(super) unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as this function demands.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// What the host says of an instance, copied.
///
/// # Safety
/// `info` points at the host's struct, whose texts are valid.
pub(super) unsafe fn identity(info: *const InstanceInfo) -> Identity {
    // SAFETY: as this function demands.
    let (info, id, version) = unsafe {
        let info = &*info;
        (info, bytes(info.id, info.id_len), bytes(info.version, info.version_len))
    };
    Identity {
        id: String::from_utf8_lossy(id).into_owned(),
        version: String::from_utf8_lossy(version).into_owned(),
        generation: info.generation,
        instance: info.number,
    }
}

/// A `midplane_sink` whose context is a `Vec<u8>`.
pub(super) unsafe extern "C" fn collect(context: *mut c_void, data: *const u8, len: usize) {
    // SAFETY: the context is the vector that `Way::host` passed along; the host's bytes are valid for this call.
    unsafe { (*context.cast::<Vec<u8>>()).extend_from_slice(bytes(data, len)) };
}
