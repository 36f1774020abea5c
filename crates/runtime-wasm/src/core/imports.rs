//! What core modules may import: the allow-list, and the functions behind it.

use midplane_contract::{Code, Error, HostFunction, Manifest, Result};
use wasmtime::{Caller, Linker, Memory, Module};

use crate::core::json;
use crate::core::packed::{slice, slice_mut};
use crate::core::preview1;
use crate::state::GuestState;

/// Every import of our own that exists, as `module.name`.
const OWN: [&str; 9] = [
    "midplane.log",
    "midplane.panicked",
    "midplane.emit",
    "midplane.host_call",
    "midplane.host_result",
    "env.log",
    "env.http_request",
    "env.json_parse",
    "env.json_stringify",
];

/// Every import that exists, as `module.name`.
pub(crate) fn all() -> impl Iterator<Item = String> {
    let standard = preview1::names().map(|name| format!("{}.{name}", preview1::MODULE));
    OWN.into_iter().map(str::to_owned).chain(standard)
}

/// Results of the host whose length has this bit are errors.
const ERROR: u64 = 1 << 31;

/// Which powers a module imports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Imports {
    /// It can reach the kernel at all, so calls need their scope.
    pub(crate) kernel: bool,
    /// It waits for answers, or has the host call back into it: its calls cannot share an executor.
    pub(crate) waits: bool,
    /// It replies in chunks.
    pub(crate) chunks: bool,
}

/// Checks a module's imports against the allow-list.
///
/// # Errors
/// `not_supported` with all imports that are refused; `permission_denied` for `env.http_request` without network access.
pub(crate) fn check(module: &Module, allowed: &[String], manifest: &Manifest) -> Result<Imports> {
    let names: Vec<String> = module.imports().map(|import| format!("{}.{}", import.module(), import.name())).collect();
    let known: Vec<String> = all().collect();
    let refused: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| ![&known[..], allowed].iter().all(|list| list.iter().any(|listed| listed == name)))
        .collect();
    if !refused.is_empty() {
        return Err(refuse(&refused));
    }
    let has = |name: &str| names.iter().any(|import| import == name);
    if has("env.http_request") && !wants_network(manifest) {
        return Err(Error::new(Code::PermissionDenied, "the module imports env.http_request without network access")
            .remedy("ask for `http.fetch` in the manifest's permissions, and grant it")
            .with("permission", "http.fetch")
            .with("import", "env.http_request"));
    }
    let host_call = has("midplane.host_call") || has("env.http_request");
    Ok(Imports {
        kernel: host_call || has("midplane.log") || has("env.log") || has("wasi_snapshot_preview1.fd_write"),
        waits: host_call
            || has("env.json_parse")
            || has("env.json_stringify")
            || has("wasi_snapshot_preview1.poll_oneoff"),
        chunks: has("midplane.emit")
            && !has("env.json_parse")
            && !has("env.json_stringify")
            && !has("env.http_request"),
    })
}

/// The error for imports that are not offered.
pub(crate) fn refuse(names: &[&str]) -> Error {
    Error::new(Code::NotSupported, format!("the plugin imports what the host does not offer: {}", names.join(", ")))
        .remedy(
            "build it without them (for Rust: target wasm32-unknown-unknown), or allow them if they are on the list",
        )
        .with("import", names.first().copied().unwrap_or_default())
        .with("imports", names)
}

fn wants_network(manifest: &Manifest) -> bool {
    manifest.permissions.iter().any(|permission| {
        let text = serde_json::to_value(permission).unwrap_or_default();
        let text = text.as_str().unwrap_or_default();
        ["http.", "network.", "net."].iter().any(|area| text.starts_with(area)) || text == "network" || text == "*"
    })
}

/// Makes the functions. Every pointer of the guest is checked; what is wrong with one ends the guest.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.func_wrap("midplane", "log", |mut caller: Caller<'_, GuestState>, level: i32, at: u32, len: u32| {
        let text = text(&mut caller, at, len, "midplane.log")?;
        caller.data().log(level_name(level), &text, serde_json::Value::Null);
        wasmtime::Result::Ok(())
    })?;
    linker.func_wrap("env", "log", |mut caller: Caller<'_, GuestState>, at: u32, len: u32| {
        let text = text(&mut caller, at, len, "env.log")?;
        caller.data().log("info", &text, serde_json::Value::Null);
        wasmtime::Result::Ok(())
    })?;
    linker.func_wrap("midplane", "panicked", |mut caller: Caller<'_, GuestState>, at: u32, len: u32| {
        let text = text(&mut caller, at, len, "midplane.panicked")?;
        caller.data_mut().last_words = Some(text);
        wasmtime::Result::Ok(())
    })?;
    linker.func_wrap("midplane", "emit", |mut caller: Caller<'_, GuestState>, at: u32, len: u32| {
        let (memory, state) = memory(&mut caller)?;
        let goes_on = state.emit(slice(memory, at, len, "midplane.emit")?.to_vec())?;
        if state.suspends {
            wasmtime::AsContextMut::as_context_mut(&mut caller).set_epoch_deadline(0);
        }
        wasmtime::Result::Ok(i32::from(!goes_on))
    })?;
    linker.func_wrap("midplane", "host_call", host_call)?;
    linker.func_wrap("midplane", "host_result", |mut caller: Caller<'_, GuestState>, at: u32| {
        let (memory, state) = memory(&mut caller)?;
        let answer = std::mem::take(&mut state.answer);
        let len = u32::try_from(answer.len()).unwrap_or(u32::MAX);
        slice_mut(memory, at, len, "midplane.host_result")?.copy_from_slice(&answer);
        wasmtime::Result::Ok(())
    })?;
    preview1::link(linker)?;
    json::link(linker)
}

fn host_call(
    mut caller: Caller<'_, GuestState>,
    function: u32,
    function_len: u32,
    args: u32,
    args_len: u32,
    payload: u32,
    payload_len: u32,
) -> wasmtime::Result<u64> {
    let (memory, state) = memory(&mut caller)?;
    let what = "midplane.host_call";
    let name = String::from_utf8_lossy(slice(memory, function, function_len.min(256), what)?);
    let args = String::from_utf8_lossy(slice(memory, args, args_len, what)?);
    let payload = slice(memory, payload, payload_len, what)?;
    let (answer, mark) = match state.request_by_name(&name, &args, payload) {
        Ok(answer) => (answer, 0),
        Err(error) => (error_json(&error), ERROR),
    };
    let len = answer.len() as u64;
    if len >= ERROR {
        return Err(Error::new(Code::LimitExceeded, "the host's answer has 2 GiB or more").into());
    }
    state.answer = answer;
    Ok(len | mark)
}

/// An error as guests see it.
pub(crate) fn error_json(error: &Error) -> Vec<u8> {
    let record = error.record();
    let seen = serde_json::json!({
        "code": record.code, "message": record.message, "recoverable": record.recoverable, "data": record.data,
    });
    seen.to_string().into_bytes()
}

/// A function of the host API, for the imports that stand for one.
pub(crate) const HTTP: HostFunction = HostFunction::HttpFetch;

/// The guest's memory and the store's data, side by side.
pub(crate) fn memory<'a>(caller: &'a mut Caller<'_, GuestState>) -> Result<(&'a mut [u8], &'a mut GuestState)> {
    let memory = exported(caller)?;
    Ok(memory.data_and_store_mut(caller))
}

fn exported(caller: &mut Caller<'_, GuestState>) -> Result<Memory> {
    let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
    memory.ok_or_else(|| Error::new(Code::MissingSymbol, "the module exports no memory").with("symbol", "memory"))
}

fn text(caller: &mut Caller<'_, GuestState>, at: u32, len: u32, what: &str) -> Result<String> {
    let (memory, _) = memory(caller)?;
    Ok(String::from_utf8_lossy(slice(memory, at, len, what)?).into_owned())
}

fn level_name(level: i32) -> &'static str {
    match level {
        0 => "trace",
        1 => "debug",
        3 => "warn",
        4 => "error",
        _ => "info",
    }
}
