//! The native backend: the plugin's table of `contract/midplane.h`, and the functions behind it.
//!
//! SAFETY, for every function of the table: the host keeps the rules of the header. Pointers are valid for their
//! lengths until the function returns, an instance is one that `create` made, and one thread at a time is in it.

mod abi;

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use abi::{Call, Host, InstanceInfo, Table};

use crate::backend::{Backend, Failure, Running, Sink, Stamp};
use crate::hook::Hook;
use crate::info::Identity;
use crate::{Error, Plugin, Result};

/// A plugin that `plugin!` exports.
pub trait Exported: Plugin {
    /// What the library was built from.
    const STAMP: Stamp;
}

/// Exports the plugin's table.
#[doc(hidden)]
#[macro_export]
macro_rules! __midplane_export {
    ($plugin:ty, $stamp:expr) => {
        impl $crate::backend::native::Exported for $plugin {
            const STAMP: $crate::backend::Stamp = $stamp;
        }

        // SAFETY: the name is the contract's, and a library has one plugin.
        #[unsafe(no_mangle)]
        extern "C" fn midplane_plugin() -> *const $crate::backend::native::Table {
            static TABLE: std::sync::OnceLock<$crate::backend::native::Table> = std::sync::OnceLock::new();
            TABLE.get_or_init($crate::backend::native::table::<$plugin>)
        }
    };
}

/// The table of a plugin: a null field for each hook that it does not define.
#[must_use]
pub fn table<P: Exported>() -> Table {
    // A definition that panics is reported by `create`, which runs it again.
    let definition = catch_unwind(P::define).ok();
    let has = |hook: Hook| definition.as_ref().is_some_and(|known| known.has(hook));
    let entry = |hook: Hook, run: abi::HookFn| has(hook).then_some(run);
    Table {
        size: u32::try_from(size_of::<Table>()).unwrap_or_default(),
        abi_major: abi::MAJOR,
        abi_minor: abi::MINOR,
        reserved: 0,
        plugin_resolve_action: Some(resolve_action::<P>),
        plugin_call: Some(call::<P>),
        plugin_create: Some(create::<P>),
        plugin_destroy: Some(destroy::<P>),
        plugin_get_info: Some(get_info::<P>),
        hooks: [
            entry(Hook::ValidateConfig, hook::<P, { Hook::ValidateConfig as usize }>),
            entry(Hook::Init, hook::<P, { Hook::Init as usize }>),
            entry(Hook::Start, hook::<P, { Hook::Start as usize }>),
            entry(Hook::Stop, hook::<P, { Hook::Stop as usize }>),
            entry(Hook::Cleanup, hook::<P, { Hook::Cleanup as usize }>),
            entry(Hook::Health, hook::<P, { Hook::Health as usize }>),
            entry(Hook::Ping, hook::<P, { Hook::Ping as usize }>),
            entry(Hook::GetConfig, hook::<P, { Hook::GetConfig as usize }>),
            entry(Hook::ConfigChanged, hook::<P, { Hook::ConfigChanged as usize }>),
            entry(Hook::Event, hook::<P, { Hook::Event as usize }>),
            entry(Hook::DependencyChanged, hook::<P, { Hook::DependencyChanged as usize }>),
            entry(Hook::ExportState, hook::<P, { Hook::ExportState as usize }>),
            entry(Hook::ImportState, hook::<P, { Hook::ImportState as usize }>),
            entry(Hook::Migrate, hook::<P, { Hook::Migrate as usize }>),
            entry(Hook::MigrateBack, hook::<P, { Hook::MigrateBack as usize }>),
        ],
    }
}

struct Instance<P> {
    running: Running<P>,
}

/// The number of an action, or -1.
unsafe extern "C" fn resolve_action<P: Exported>(name: *const u8, len: usize) -> i32 {
    // SAFETY: see the top of this file.
    let name = unsafe { abi::bytes(name, len) };
    let found = catch_unwind(|| P::define().info.actions.iter().position(|action| action.name.as_bytes() == name));
    found.ok().flatten().and_then(|position| i32::try_from(position).ok()).unwrap_or(-1)
}

unsafe extern "C" fn get_info<P: Exported>(_: *mut c_void, _: *const u8, _: usize, call: *mut Call) -> i32 {
    let outcome = match Running::<P>::new(Identity::default(), P::STAMP) {
        Ok(mut running) => running.hook(Hook::Info, &[], &mut Out { call }, &Way { call }).map(drop),
        Err(failure) => Err(failure),
    };
    ended(call, outcome)
}

unsafe extern "C" fn create<P: Exported>(
    _: *const Host,
    info: *const InstanceInfo,
    call: *mut Call,
    instance: *mut *mut c_void,
) -> i32 {
    // SAFETY: see the top of this file.
    let identity = unsafe { abi::identity(info) };
    let outcome = Running::<P>::new(identity, P::STAMP).map(|running| {
        let made = Box::into_raw(Box::new(Instance { running }));
        // SAFETY: see the top of this file.
        unsafe { instance.write(made.cast()) };
    });
    ended(call, outcome)
}

unsafe extern "C" fn destroy<P: Exported>(instance: *mut c_void) {
    // SAFETY: see the top of this file; the host never uses the pointer again.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<P>>()) };
    // There is nobody left to tell of a destructor that panics.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(instance)));
}

unsafe extern "C" fn call<P: Exported>(
    instance: *mut c_void,
    action: i32,
    input: *const u8,
    len: usize,
    call: *mut Call,
) -> i32 {
    // SAFETY: see the top of this file.
    let (instance, input) = unsafe { (&mut *instance.cast::<Instance<P>>(), abi::bytes(input, len)) };
    let outcome = instance.running.call(action.cast_unsigned(), input, &mut Out { call }, &Way { call });
    ended(call, outcome)
}

unsafe extern "C" fn hook<P: Exported, const NUMBER: usize>(
    instance: *mut c_void,
    input: *const u8,
    len: usize,
    call: *mut Call,
) -> i32 {
    // SAFETY: see the top of this file.
    let (instance, input) = unsafe { (&mut *instance.cast::<Instance<P>>(), abi::bytes(input, len)) };
    let Some(hook) = Hook::from_number(NUMBER) else { return abi::ERROR };
    let outcome = instance.running.hook(hook, input, &mut Out { call }, &Way { call });
    ended(call, outcome.map(drop))
}

#[inline]
fn ended(call: *mut Call, outcome: Result<(), Failure>) -> i32 {
    match outcome {
        Ok(()) => abi::OK,
        Err(failure) => failed(call, failure),
    }
}

#[cold]
fn failed(call: *mut Call, failure: Failure) -> i32 {
    let (status, error) = match failure {
        Failure::Error(error) => (abi::ERROR, error),
        Failure::Panicked(said) => (abi::PANICKED, Error::new("panicked", said)),
    };
    let data = if error.data.is_empty() { String::new() } else { serde_json::json!(error.data).to_string() };
    // SAFETY: see the top of this file; all strings live until the host's function has returned.
    unsafe {
        ((*(*call).host).error_set)(
            call,
            error.code.as_ptr(),
            error.code.len(),
            error.message.as_ptr(),
            error.message.len(),
            i32::from(error.recoverable),
            data.as_ptr(),
            data.len(),
        );
    }
    status
}

/// The reply of the call in progress.
struct Out {
    call: *mut Call,
}

impl Sink for Out {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // SAFETY: the call is the one in progress: `Out` never leaves it.
        let status = unsafe { ((*(*self.call).host).reply_write)(self.call, bytes.as_ptr(), bytes.len()) };
        if status == abi::OK { Ok(()) } else { Err(refused()) }
    }
}

/// The host knows better why; what this says reaches nobody but the plugin.
#[cold]
fn refused() -> Error {
    Error::new("reply_refused", "the host takes no more of this reply: it is too large, or nobody waits for it")
}

/// The way to the host during the call in progress.
struct Way {
    call: *mut Call,
}

impl Backend for Way {
    fn host(&self, function: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        // SAFETY: the call is the one in progress: `Way` never leaves it; `answer` outlives the function that fills it.
        let status = unsafe {
            let host = (*self.call).host;
            ((*host).host_call)(
                host,
                self.call,
                function.as_ptr(),
                function.len(),
                args.as_ptr(),
                args.len(),
                payload.as_ptr(),
                payload.len(),
                Some(abi::collect),
                (&raw mut answer).cast(),
            )
        };
        if status == abi::OK {
            return Ok(answer);
        }
        Err(serde_json::from_slice(&answer)
            .unwrap_or_else(|_| Error::new("internal", format!("the host failed at {function} without saying why"))))
    }
}
