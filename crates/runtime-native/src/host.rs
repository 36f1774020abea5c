//! The host's side of the ABI: the functions that a plugin calls, and what they know of the call in progress.
//!
//! SAFETY, for every function of the host's table: the plugin keeps the rules of the header. A call pointer is the one
//! that it was given, used on the same thread before its function returned; a host pointer is that of its instance.
//! What can be checked is checked: nulls, lengths, UTF-8, JSON. No panic leaves these functions.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use midplane_contract::{Code, Error, HostFunction, Result, defaults};
use midplane_kernel::{Host, HostRequest, Reply, Scope, Within};

use crate::abi;
use crate::outcome::{PluginError, clipped};

/// The host as one instance sees it. The table comes first: its address is the address of this.
#[repr(C)]
pub(crate) struct HostSide {
    table: abi::Host,
    host: Option<Arc<dyn Host>>,
    /// Largest payload either way, in bytes.
    cap: usize,
}

impl HostSide {
    /// A host for an instance; `None` for code that has no instance yet.
    pub(crate) fn new(host: Option<Arc<dyn Host>>, cap: usize) -> Box<Self> {
        let table = abi::Host {
            size: size_of::<abi::Host>() as u32,
            abi_major: abi::MAJOR,
            abi_minor: abi::MINOR,
            reserved: 0,
            reply_write,
            error_set,
            host_call,
        };
        Box::new(Self { table, host, cap })
    }

    /// What the plugin gets.
    pub(crate) fn pointer(&self) -> *const abi::Host {
        std::ptr::from_ref(self).cast()
    }
}

/// One call or hook in progress. The call comes first: its address is the address of this.
#[repr(C)]
pub(crate) struct Frame<'call, 'reply> {
    call: abi::Call,
    reply: &'call mut Reply<'reply>,
    within: Within<'call>,
    cap: usize,
    /// Why the host took no more of the reply.
    pub(crate) refused: Option<Error>,
    /// What the plugin said of its failure.
    pub(crate) said: Option<Box<PluginError>>,
}

impl<'call, 'reply> Frame<'call, 'reply> {
    /// A frame for one call. `action` is `None` in hooks.
    #[inline]
    pub(crate) fn new(
        side: &HostSide,
        reply: &'call mut Reply<'reply>,
        scope: &'call Scope,
        action: Option<&'call str>,
    ) -> Self {
        Self {
            call: abi::Call { size: size_of::<abi::Call>() as u32, reserved: 0, host: side.pointer() },
            reply,
            within: Within { scope, action },
            cap: side.cap,
            refused: None,
            said: None,
        }
    }

    /// What the plugin gets.
    #[inline]
    pub(crate) fn pointer(&mut self) -> *mut abi::Call {
        std::ptr::from_mut(self).cast()
    }
}

unsafe extern "C" fn reply_write(call: *mut abi::Call, data: *const u8, len: usize) -> i32 {
    if call.is_null() {
        return abi::ERROR;
    }
    // SAFETY: see the top of this file.
    let frame = unsafe { &mut *call.cast::<Frame<'_, '_>>() };
    if frame.refused.is_some() {
        return abi::ERROR;
    }
    if len > frame.cap || (data.is_null() && len > 0) {
        return refuse(frame, unreadable(data, len, frame.cap));
    }
    // SAFETY: see the top of this file; the length is within the cap, the pointer not null.
    let bytes = unsafe { abi::bytes(data, len) };
    match catch_unwind(AssertUnwindSafe(|| frame.reply.write(bytes))) {
        Ok(Ok(())) => abi::OK,
        Ok(Err(error)) => refuse(frame, error),
        Err(_) => refuse(frame, Error::new(Code::Internal, "taking the reply panicked")),
    }
}

#[cold]
fn refuse(frame: &mut Frame<'_, '_>, error: Error) -> i32 {
    frame.refused = Some(error);
    abi::ERROR
}

#[cold]
fn unreadable(data: *const u8, len: usize, cap: usize) -> Error {
    if data.is_null() {
        return Error::new(Code::ProtocolError, format!("the plugin passed {len} bytes at a null pointer"))
            .remedy("pass a valid pointer, or length 0");
    }
    Error::new(Code::LimitExceeded, format!("the plugin passed {len} bytes at once, more than the {cap} allowed"))
        .remedy("pass less, or raise limits.payload")
        .with("which", "payload")
        .with("limit", cap as u64)
}

unsafe extern "C" fn error_set(
    call: *mut abi::Call,
    code: *const u8,
    code_len: usize,
    message: *const u8,
    message_len: usize,
    recoverable: i32,
    data: *const u8,
    data_len: usize,
) {
    if call.is_null() {
        return;
    }
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: see the top of this file. `clipped` reads no more than its cap, and nothing at a null pointer.
        let (frame, code, message, data) = unsafe {
            (
                &mut *call.cast::<Frame<'_, '_>>(),
                clipped(code, code_len, 128),
                clipped(message, message_len, 16 * 1024),
                clipped(data, data_len, 64 * 1024),
            )
        };
        frame.said = Some(Box::new(PluginError::read(code, message, recoverable != 0, data)));
    }));
}

unsafe extern "C" fn host_call(
    host: *const abi::Host,
    call: *mut abi::Call,
    function: *const u8,
    function_len: usize,
    args: *const u8,
    args_len: usize,
    payload: *const u8,
    payload_len: usize,
    sink: Option<abi::SinkFn>,
    sink_context: *mut c_void,
) -> i32 {
    if host.is_null() {
        return abi::ERROR;
    }
    // SAFETY: see the top of this file. The frame is only read here, and not while `reply_write` changes it: both run
    // on the thread of the call.
    let (side, within) = unsafe {
        let background = Within { scope: BACKGROUND.get_or_init(Scope::default), action: None };
        let within = if call.is_null() { background } else { (*call.cast::<Frame<'_, '_>>()).within };
        (&*host.cast::<HostSide>(), within)
    };
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let function = HostFunction::named(text("function", function, function_len, 64)?)?;
        function.check_arguments(args_len)?;
        let args = text("arguments", args, args_len, defaults::WIRE_HEADER)?;
        if payload_len > side.cap || (payload.is_null() && payload_len > 0) {
            return Err(unreadable(payload, payload_len, side.cap));
        }
        // SAFETY: see the top of this file; the length is within the cap, the pointer not null.
        let payload = unsafe { abi::bytes(payload, payload_len) };
        ask(side, &within, function, args, payload)
    }));
    let (status, answer) = match answered.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the host panicked"))) {
        Ok(answer) => (abi::OK, answer),
        Err(error) => (abi::ERROR, error.to_json().to_string().into_bytes()),
    };
    if let Some(sink) = sink {
        // SAFETY: the plugin's own function with its own context; the answer lives until it has returned.
        unsafe { sink(sink_context, answer.as_ptr(), answer.len()) };
    }
    status
}

/// The scope of what a plugin asks outside of any call.
static BACKGROUND: std::sync::OnceLock<Scope> = std::sync::OnceLock::new();

fn ask(side: &HostSide, within: &Within<'_>, function: HostFunction, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
    let Some(host) = &side.host else {
        return Err(Error::new(Code::NotSupported, format!("{function} cannot be asked without an instance"))
            .remedy("ask in init or later"));
    };
    host.request(within, &HostRequest { function, args, payload })
}

fn text<'a>(what: &str, data: *const u8, len: usize, cap: usize) -> Result<&'a str> {
    if len > cap || (data.is_null() && len > 0) {
        return Err(Error::new(Code::InvalidInput, format!("the {what} of a host call must be at most {cap} bytes"))
            .remedy("pass large data as the payload"));
    }
    // SAFETY: see the top of this file; the length is within the cap, the pointer not null.
    std::str::from_utf8(unsafe { abi::bytes(data, len) })
        .map_err(|error| Error::new(Code::InvalidInput, format!("the {what} of a host call is not UTF-8: {error}")))
}
