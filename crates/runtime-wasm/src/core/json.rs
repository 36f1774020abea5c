//! The imports of `env` whose results the host places in the guest's memory with the guest's own allocator.

use midplane_contract::Result;
use serde_json::{Value, json};
use wasmtime::{Caller, Linker, TypedFunc};

use crate::core::imports::{HTTP, error_json, memory};
use crate::core::packed::{slice, slice_mut};
use crate::state::GuestState;

/// Makes the functions.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap("env", "json_parse", |mut caller: Caller<'_, GuestState>, at: u32, len: u32| {
        let (memory, _) = memory(&mut caller)?;
        let parsed = serde_json::from_slice::<Value>(slice(memory, at, len, "env.json_parse")?);
        match parsed {
            Ok(value) => place_text(&mut caller, value.to_string()),
            Err(_) => Ok(0),
        }
    })?;
    linker.func_wrap("env", "json_stringify", |mut caller: Caller<'_, GuestState>, at: u32, len: u32| {
        let (memory, _) = memory(&mut caller)?;
        let text = std::str::from_utf8(slice(memory, at, len, "env.json_stringify")?).map(|text| json!(text));
        match text {
            Ok(text) => place_text(&mut caller, text.to_string()),
            Err(_) => Ok(0),
        }
    })?;
    linker.func_wrap("env", "http_request", |mut caller: Caller<'_, GuestState>, at: u32, len: u32, out: u32| {
        let (memory, state) = memory(&mut caller)?;
        let reply = fetch(state, slice(memory, at, len, "env.http_request")?).unwrap_or_else(|error| {
            let seen: Value = serde_json::from_slice(&error_json(&error)).unwrap_or_default();
            json!({ "error": seen }).to_string().into_bytes()
        });
        let (place, placed) = match place(&mut caller, &reply)? {
            0 => (0, 0),
            place => (place, u32::try_from(reply.len()).unwrap_or(u32::MAX)),
        };
        let (memory, _) = self::memory(&mut caller)?;
        slice_mut(memory, out, 4, "env.http_request")?.copy_from_slice(&placed.to_le_bytes());
        wasmtime::Result::Ok(place)
    })?;
    Ok(())
}

fn fetch(state: &GuestState, request: &[u8]) -> Result<Vec<u8>> {
    let mut request: Value = serde_json::from_slice(request).map_err(|error| {
        midplane_contract::Error::new(midplane_contract::Code::InvalidInput, format!("the request is no JSON: {error}"))
    })?;
    let body = request.as_object_mut().and_then(|fields| fields.remove("body")).unwrap_or_default();
    let body = match body {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    state.request(HTTP, &request.to_string(), body.as_bytes())
}

fn place_text(caller: &mut Caller<'_, GuestState>, mut text: String) -> wasmtime::Result<u32> {
    text.push('\0');
    place(caller, text.as_bytes())
}

/// Copies bytes into memory that the guest's allocator gives; 0 where it has none or gives none.
fn place(caller: &mut Caller<'_, GuestState>, bytes: &[u8]) -> wasmtime::Result<u32> {
    let Some(alloc) = allocator(caller) else { return Ok(0) };
    let Ok(len) = u32::try_from(bytes.len()) else { return Ok(0) };
    let at = alloc.call(&mut *caller, len)?;
    if at != 0 {
        let (memory, _) = memory(caller)?;
        slice_mut(memory, at, len, "its allocator")?.copy_from_slice(bytes);
    }
    Ok(at)
}

fn allocator(caller: &mut Caller<'_, GuestState>) -> Option<TypedFunc<u32, u32>> {
    let alloc = caller.get_export("plugin_alloc").or_else(|| caller.get_export("malloc"))?;
    alloc.into_func()?.typed(&*caller).ok()
}
