//! What components may import, and the functions behind it.

use midplane_contract::Result;
use wasmtime::StoreContextMut;
use wasmtime::component::{Component, Linker, WasmList, WasmStr};

use crate::component::types::{Error, Level};
use crate::component::wasi;
use crate::core::imports::{Imports, refuse};
use crate::state::GuestState;

const TYPES: &str = "midplane:plugin/types";
const OUTPUT: &str = "midplane:plugin/output";
const REPLY: &str = "midplane:plugin/reply";
const HOST: &str = "midplane:plugin/host";

/// Checks a component's imports: the interfaces of the world, in a version that fits, the part of WASI that has nothing
/// behind it, and nothing else.
///
/// # Errors
/// `not_supported` with the names of all others.
pub(crate) fn check(component: &Component) -> Result<Imports> {
    let ty = component.component_type();
    let names: Vec<&str> = ty.imports(component.engine()).map(|(name, _)| name).collect();
    let bare = |name: &str| -> Option<&'static str> {
        if let Some(interface) = wasi::interface(name) {
            return Some(interface);
        }
        let (interface, version) = name.split_once('@')?;
        let known = [TYPES, OUTPUT, REPLY, HOST].into_iter().find(|known| *known == interface)?;
        version.starts_with("1.").then_some(known)
    };
    let refused: Vec<&str> = names.iter().copied().filter(|name| bare(name).is_none()).collect();
    if !refused.is_empty() {
        return Err(refuse(&refused));
    }
    let has = |interface: &str| names.iter().any(|name| bare(name) == Some(interface));
    let writes = has("wasi:cli/stdout") || has("wasi:cli/stderr");
    Ok(Imports { kernel: writes || has(OUTPUT) || has(HOST), waits: has(HOST), chunks: has(REPLY) })
}

/// Makes the functions.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.instance(&versioned(TYPES))?;
    let mut output = linker.instance(&versioned(OUTPUT))?;
    output.func_wrap(
        "log",
        |store: StoreContextMut<'_, GuestState>, (level, message, fields): (Level, WasmStr, WasmStr)| {
            let (message, fields) = (message.to_str(&store)?, fields.to_str(&store)?);
            let fields = if fields.is_empty() {
                serde_json::Value::Null
            } else {
                serde_json::from_str(&fields).unwrap_or_else(|_| fields.as_ref().into())
            };
            store.data().log(level.name(), &message, fields);
            Ok(())
        },
    )?;
    output.func_wrap("panicked", |mut store: StoreContextMut<'_, GuestState>, (message,): (String,)| {
        store.data_mut().last_words = Some(message);
        Ok(())
    })?;
    let mut reply = linker.instance(&versioned(REPLY))?;
    reply.func_wrap("emit", |mut store: StoreContextMut<'_, GuestState>, (chunk,): (WasmList<u8>,)| {
        let chunk = chunk.as_le_slice(&store).to_vec();
        let state = store.data_mut();
        let goes_on = state.emit(chunk)?;
        if state.suspends {
            store.set_epoch_deadline(0);
        }
        Ok((goes_on,))
    })?;
    let mut host = linker.instance(&versioned(HOST))?;
    host.func_wrap(
        "request",
        |store: StoreContextMut<'_, GuestState>, (function, args, payload): (WasmStr, WasmStr, WasmList<u8>)| {
            let (function, args) = (function.to_str(&store)?, args.to_str(&store)?);
            let answer = store.data().request_by_name(&function, &args, payload.as_le_slice(&store));
            Ok((answer.map_err(Error::from),))
        },
    )
}

fn versioned(interface: &str) -> String {
    format!("{interface}@{}", midplane_contract::CONTRACT_VERSION)
}
