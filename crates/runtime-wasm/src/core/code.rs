//! Loading a core module: imports and exports are checked, then the module says what it is.

use std::sync::Arc;

use midplane_contract::{ActionName, Code as ErrorCode, Error, Hook, PluginInfo, Result};
use midplane_kernel::{Code, CodeFacts, LoadRequest};
use wasmtime::{InstancePre, Linker, Module, Store};

use crate::code::{Terms, WasmCode, candidates, read_info};
use crate::core::abi::Abi;
use crate::core::guest::{CoreBlueprint, CoreGuest, Route};
use crate::fault::Fault;
use crate::guest::Guest;
use crate::state::GuestState;

/// A module's place in its host: linked, not yet instantiated.
///
/// # Errors
/// `abi_mismatch` when an import has another shape than the host's function of that name.
pub(crate) fn link(linker: &Linker<GuestState>, module: &Module) -> Result<InstancePre<GuestState>> {
    linker.instantiate_pre(module).map_err(|error| {
        Error::new(ErrorCode::AbiMismatch, format!("an import does not fit the host: {error:#}"))
            .remedy("declare it as contract/core-wasm.md says")
    })
}

/// Loads a linked module: an instance is made, asked what it is and which actions it has, and dropped.
pub(crate) fn load(
    pre: InstancePre<GuestState>,
    abi: Abi,
    terms: Terms,
    request: &LoadRequest,
    mut facts: CodeFacts,
) -> Result<Arc<dyn Code>> {
    let mut blueprint = CoreBlueprint { pre, abi, routes: Vec::new() };
    let (mut store, mut guest) = terms.make(&blueprint, &Arc::default(), None)?;
    if let Some(mask) = terms.within_hook_time(&mut store, |store| guest.mask(store, &blueprint.abi))? {
        blueprint.abi.keep(mask);
    }
    let info = terms.within_hook_time(&mut store, |store| guest.hook(store, Hook::Info, &[]))?;
    facts.info = read_info(&info.unwrap_or_default())?;
    let own = blueprint.abi.own.keys().filter_map(|name| ActionName::new(name).ok());
    let covered: Vec<String> = candidates(&facts.info, request, std::iter::empty())
        .iter()
        .map(|name| crate::core::abi::symbol_of(name.as_str()))
        .collect();
    let own = own.filter(|name| !covered.iter().any(|symbol| symbol == name.as_str()));
    for name in candidates(&facts.info, request, own) {
        let route = terms.within_hook_time(&mut store, |store| {
            route(&mut guest, store, &blueprint.abi, &facts.info, request, &name)
        })?;
        if let Some(route) = route {
            blueprint.routes.push(route);
            facts.actions.push(name);
        }
    }
    facts.hooks = blueprint.abi.hooks();
    let actions: Arc<[ActionName]> = facts.actions.as_slice().into();
    Ok(Arc::new(WasmCode { blueprint, terms, actions, facts }))
}

fn route(
    guest: &mut CoreGuest,
    store: &mut Store<GuestState>,
    abi: &Abi,
    info: &PluginInfo,
    request: &LoadRequest,
    name: &ActionName,
) -> Result<Option<Route>, Fault> {
    if let Some(own) = abi.own(name.as_str()) {
        return Ok(Some(Route::Own(own)));
    }
    if abi.call.is_none() {
        return Ok(None);
    }
    if abi.resolve.is_some() {
        return Ok(guest.resolve(store, abi, name.as_str())?.map(Route::Call));
    }
    let list = if info.actions.is_empty() { &request.manifest.actions } else { &info.actions };
    let position =
        list.iter().position(|action| action.name == *name).and_then(|position| u32::try_from(position).ok());
    Ok(position.map(Route::Call))
}
