//! What core modules and components have in common: they are made from a blueprint, and run calls and hooks.

use std::future::Future;

use midplane_contract::Hook;
use midplane_kernel::Reply;
use wasmtime::Store;

use crate::fault::Fault;
use crate::state::GuestState;

/// What instances are made from.
pub(crate) trait Blueprint: Send + Sync + 'static {
    /// What it makes.
    type Guest: Guest;

    /// Makes a guest in a store. The guest's own start functions run, under the store's deadline.
    fn instantiate(&self, store: &mut Store<GuestState>) -> Result<Self::Guest, Fault>;
}

/// The entries of one instance.
pub(crate) trait Guest: Send + 'static {
    /// What a call gives before it is handed on.
    type Answer: Send;

    /// Tells the guest who it is, where it wants to know.
    fn identify(&mut self, store: &mut Store<GuestState>, identity: &str) -> Result<(), Fault>;

    /// Runs an action on this thread.
    fn call(&mut self, store: &mut Store<GuestState>, action: u32, input: &[u8]) -> Result<Self::Answer, Fault>;

    /// Runs an action on a stack of its own, which gives up the executor on each tick.
    fn call_async(
        &mut self,
        store: &mut Store<GuestState>,
        action: u32,
        input: &[u8],
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Hands a call's answer on.
    fn deliver(&self, store: &Store<GuestState>, answer: Self::Answer, reply: &mut Reply<'_>) -> Result<(), Fault>;

    /// Runs a hook; `None` where there is none.
    fn hook(&mut self, store: &mut Store<GuestState>, hook: Hook, input: &[u8]) -> Result<Option<Vec<u8>>, Fault>;
}
