//! Loading a component: imports and exports are checked, then the component says what it is.

use std::sync::Arc;

use midplane_contract::{ActionName, Code as ErrorCode, Error, Hook, Result};
use midplane_kernel::{Code, CodeFacts, LoadRequest};
use wasmtime::component::{Component, InstancePre, Linker};

use crate::code::{Terms, WasmCode, candidates, read_info};
use crate::component::guest::{ComponentBlueprint, Entries};
use crate::state::GuestState;

/// A component's place in its host: linked, not yet instantiated.
///
/// # Errors
/// `abi_mismatch` when an import has another shape than the host's function of that name.
pub(crate) fn link(linker: &Linker<GuestState>, component: &Component) -> Result<InstancePre<GuestState>> {
    linker.instantiate_pre(component).map_err(|error| {
        Error::new(ErrorCode::AbiMismatch, format!("an import does not fit the host: {error:#}"))
            .remedy("build it against the WIT of this host's version")
    })
}

/// Loads a linked component: an instance is made, asked what it is and which actions it has, and dropped.
pub(crate) fn load(
    pre: InstancePre<GuestState>,
    entries: Entries,
    terms: Terms,
    request: &LoadRequest,
    mut facts: CodeFacts,
) -> Result<Arc<dyn Code>> {
    let mut blueprint = ComponentBlueprint { pre, entries, numbers: Vec::new() };
    let (mut store, guest) = terms.make(&blueprint, &Arc::default(), None)?;
    let entries = &blueprint.entries;
    let (info, hooks) = terms.within_hook_time(&mut store, |store| guest.describe(store, entries))?;
    facts.info = read_info(info.as_bytes())?;
    facts.hooks = (0..).zip(Hook::ALL).filter(|(number, _)| hooks >> number & 1 == 1).map(|(_, hook)| *hook).collect();
    for name in candidates(&facts.info, request, std::iter::empty()) {
        let number = terms.within_hook_time(&mut store, |store| guest.resolve(store, entries, name.as_str()))?;
        if let Some(number) = number {
            blueprint.numbers.push(number);
            facts.actions.push(name);
        }
    }
    let actions: Arc<[ActionName]> = facts.actions.as_slice().into();
    Ok(Arc::new(WasmCode { blueprint, terms, actions, facts }))
}
