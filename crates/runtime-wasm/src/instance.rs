//! One live instance, core or component: the store, the guest in it, and what it is still good for.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use midplane_contract::{Code, Error, Hook, Result};
use midplane_kernel::runtime::BoxFuture;
use midplane_kernel::{Call, Condition, Instance, Interrupt, Reply, Scope};
use wasmtime::Store;

use crate::core::imports::Imports;
use crate::fault::{Fault, explain};
use crate::guest::Guest;
use crate::state::GuestState;
use crate::ticker::Beat;

/// One instance.
pub(crate) struct WasmInstance<G> {
    pub(crate) store: Store<GuestState>,
    pub(crate) guest: G,
    pub(crate) imports: Imports,
    /// Why the guest must not be used again.
    pub(crate) spent: Option<Error>,
    /// A call's future was dropped while the guest ran.
    pub(crate) abandoned: bool,
    /// Counts this instance until it is gone.
    pub(crate) _counted: Counted,
}

/// Counts an instance of a plugin for as long as it lives.
pub(crate) struct Counted(pub(crate) Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<G: Guest> Instance for WasmInstance<G> {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        self.usable()?;
        if self.imports.chunks && reply.is_stream() {
            return self.stream(call, reply);
        }
        begin(&mut self.store, self.imports, call.scope, Some(call.action), false);
        let outcome = self.guest.call(&mut self.store, call.action, call.input);
        self.store.data().beat.leave();
        self.finish(outcome, reply)
    }

    fn call<'a>(&'a mut self, call: &'a Call<'a>, reply: &'a mut Reply<'_>) -> Option<BoxFuture<'a, Result<()>>> {
        let blocks = self.imports.waits || reply.is_stream();
        if blocks || self.usable().is_err() {
            return None;
        }
        Some(Box::pin(async move {
            begin(&mut self.store, self.imports, call.scope, Some(call.action), true);
            self.abandoned = true;
            let leaving = Leaving(Arc::clone(&self.store.data().beat));
            let outcome = self.guest.call_async(&mut self.store, call.action, call.input).await;
            drop(leaving);
            self.abandoned = false;
            self.finish(outcome, reply)
        }))
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        self.usable()?;
        begin(&mut self.store, self.imports, scope, None, false);
        let outcome = self.guest.hook(&mut self.store, hook, input);
        self.store.data().beat.leave();
        outcome.map_err(|fault| self.fail(fault))
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.store.data().beat) as Arc<dyn Interrupt>)
    }

    fn condition(&self) -> Condition {
        match self.usable() {
            Ok(()) => Condition::Ready,
            Err(error) => Condition::Spent(error),
        }
    }

    fn memory(&self) -> Option<u64> {
        Some(self.store.data().limiter.memory())
    }
}

/// Says that the call has ended, also when its future is dropped.
struct Leaving(Arc<Beat>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A call or hook begins. The other half is [`Beat::leave`].
#[inline]
pub(crate) fn begin(
    store: &mut Store<GuestState>,
    imports: Imports,
    scope: &Scope,
    action: Option<u32>,
    suspends: bool,
) {
    let state = store.data_mut();
    state.limiter.begin();
    state.deadline = scope.deadline;
    state.action = action;
    state.suspends = suspends;
    if imports.kernel {
        state.scope.clone_from(scope);
    }
    state.beat.enter();
}

impl<G: Guest> WasmInstance<G> {
    #[inline]
    fn usable(&self) -> Result<()> {
        if self.spent.is_none() && !self.abandoned { Ok(()) } else { Err(self.why_not()) }
    }

    #[cold]
    fn why_not(&self) -> Error {
        self.spent.clone().unwrap_or_else(|| Error::new(Code::Cancelled, "the plugin was stopped: the caller gave up"))
    }

    /// Runs a call whose chunks are handed on as they come: the guest runs on a stack of its own and is set aside
    /// after each chunk, until the reader has taken it.
    fn stream(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        begin(&mut self.store, self.imports, call.scope, Some(call.action), true);
        let state = self.store.data_mut();
        let (chunks, leaving) = (state.chunks.clone(), Leaving(Arc::clone(&state.beat)));
        chunks.take();
        let outcome = {
            let mut running = pin!(self.guest.call_async(&mut self.store, call.action, call.input));
            let mut context = Context::from_waker(Waker::noop());
            loop {
                match running.as_mut().poll(&mut context) {
                    Poll::Ready(outcome) => break outcome,
                    Poll::Pending => {
                        let handed_on = chunks.take().iter().try_for_each(|chunk| reply.write(chunk));
                        if let Err(error) = handed_on {
                            break Err(Fault::Broken(error));
                        }
                    }
                }
            }
        };
        drop(leaving);
        self.finish(outcome, reply)
    }

    #[inline]
    fn finish(&mut self, outcome: Result<G::Answer, Fault>, reply: &mut Reply<'_>) -> Result<()> {
        let delivered = outcome.and_then(|answer| {
            if self.store.data().emitted {
                self.store
                    .data_mut()
                    .take_chunks()
                    .iter()
                    .try_for_each(|chunk| reply.write(chunk))
                    .map_err(Fault::Clean)?;
            }
            self.guest.deliver(&self.store, answer, reply)
        });
        delivered.map_err(|fault| self.fail(fault))
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> Error {
        let error = match fault {
            Fault::Clean(error) => return error,
            Fault::Broken(error) => error,
            Fault::Engine(error) => explain(&error, self.store.data_mut()),
        };
        self.spent = Some(error.clone());
        error
    }
}
