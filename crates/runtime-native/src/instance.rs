//! One instance of a native plugin. The call path is here: no allocation, no lock, no clock.

use std::ffi::c_void;
use std::sync::Arc;

use midplane_contract::{Code, Error, Hook, Result};
use midplane_kernel::{Call, Condition, Host, Instance, InstanceContext, Interrupt, Reply, Scope};

use crate::abi;
use crate::host::{Frame, HostSide};
use crate::library::Library;
use crate::outcome;

/// One instance. Dropping it runs `plugin_destroy`, then lets go of the library.
pub(crate) struct NativeInstance {
    call: abi::CallFn,
    instance: *mut c_void,
    /// The plugin's number of each action.
    actions: Arc<[i32]>,
    side: Box<HostSide>,
    cap: usize,
    condition: Condition,
    waiting: Arc<Waiting>,
    library: Arc<Library>,
}

/// Ends what an instance waits for at the host. Nothing ends the code itself.
struct Waiting(Arc<dyn Host>);

impl Interrupt for Waiting {
    fn interrupt(&self) {
        self.0.interrupted();
    }

    fn ends_code(&self) -> bool {
        false
    }
}

// SAFETY: the header demands that an instance may be used by any thread, one at a time; `&mut self` sees to the latter.
unsafe impl Send for NativeInstance {}

impl NativeInstance {
    /// Runs `plugin_create`.
    ///
    /// # Errors
    /// What the plugin says, or `panicked`; `protocol_error` for an instance that is null.
    pub(crate) fn create(
        library: Arc<Library>,
        call: abi::CallFn,
        actions: Arc<[i32]>,
        cap: usize,
        context: InstanceContext,
    ) -> Result<Self> {
        let side = HostSide::new(Some(Arc::clone(&context.host)), cap);
        let waiting = Arc::new(Waiting(Arc::clone(&context.host)));
        let instance = match library.table.plugin_create {
            Some(create) => run_create(create, &side, &context, cap)?,
            None => std::ptr::null_mut(),
        };
        Ok(Self { call, instance, actions, side, cap, condition: Condition::Ready, waiting, library })
    }

    fn finish(&mut self, outcome: Result<()>) -> Result<()> {
        if let Err(error) = &outcome
            && outcome::spends(error)
        {
            self.condition = Condition::Spent(error.clone());
        }
        outcome
    }
}

fn run_create(create: abi::CreateFn, side: &HostSide, context: &InstanceContext, cap: usize) -> Result<*mut c_void> {
    let id = context.plugin.as_str();
    let info = abi::InstanceInfo {
        size: size_of::<abi::InstanceInfo>() as u32,
        number: context.number,
        generation: context.generation,
        id: id.as_ptr(),
        id_len: id.len(),
        version: context.version.as_ptr(),
        version_len: context.version.len(),
    };
    let scope = Scope::within(midplane_contract::defaults::HOOK_DEADLINE);
    let mut ignored = Vec::new();
    let mut reply = Reply::buffer(&mut ignored, cap);
    let mut frame = Frame::new(side, &mut reply, &scope, None);
    let mut made = std::ptr::null_mut();
    // SAFETY: everything passed outlives the call; the host's side moves into the instance, in its box.
    let status = unsafe { create(side.pointer(), &raw const info, frame.pointer(), &raw mut made) };
    outcome::of(status, &mut frame)?;
    if made.is_null() {
        return Err(Error::new(Code::ProtocolError, "plugin_create succeeded but made no instance")
            .remedy("store the instance, or leave plugin_create out of the table"));
    }
    Ok(made)
}

impl Instance for NativeInstance {
    #[inline]
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let Some(&action) = self.actions.get(call.action as usize) else { return Err(no_such_action(call)) };
        let mut frame = Frame::new(&self.side, reply, call.scope, Some(call.name));
        // SAFETY: the instance is alive and nobody else is in it; input and frame outlive the call.
        let status =
            unsafe { (self.call)(self.instance, action, call.input.as_ptr(), call.input.len(), frame.pointer()) };
        match outcome::of(status, &mut frame) {
            Ok(()) => Ok(()),
            Err(error) => self.finish(Err(error)),
        }
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        let Some(Some(run)) = self.library.table.hooks.get(hook as usize).copied() else { return Ok(None) };
        let mut answer = Vec::new();
        let mut reply = Reply::buffer(&mut answer, self.cap);
        let mut frame = Frame::new(&self.side, &mut reply, scope, None);
        // SAFETY: as in `call_inline`.
        let status = unsafe { run(self.instance, input.as_ptr(), input.len(), frame.pointer()) };
        let outcome = outcome::of(status, &mut frame);
        self.finish(outcome)?;
        Ok(Some(answer))
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.waiting) as Arc<dyn Interrupt>)
    }

    fn condition(&self) -> Condition {
        self.condition.clone()
    }
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        if self.library.table.plugin_create.is_none() {
            return;
        }
        if let Some(destroy) = self.library.table.plugin_destroy {
            // SAFETY: made by `plugin_create`, destroyed once, and the library is still open.
            unsafe { destroy(self.instance) };
        }
    }
}

#[cold]
fn no_such_action(call: &Call<'_>) -> Error {
    Error::new(Code::ActionNotFound, format!("the plugin has no action {} (number {})", call.name, call.action))
}
