//! What plugins do wrong, and that it costs nobody else anything.

use std::pin::pin;
use std::time::Duration;

use futures_lite::future::{block_on, poll_once};
use midplane_contract::{Code, Error, Limits, Permission, PluginId};
use midplane_kernel::{CallOptions, Policy};
use serde_json::{Value, json};

use super::site::{Site, told};
use super::{Cell, Outcome, ensure};

const MIB: u64 = 1024 * 1024;

pub(super) fn typed(site: &Site<'_>) -> Outcome {
    let id = site.load("typed")?;
    let input = json!({ "code": "sold_out", "message": "none left", "recoverable": true, "data": { "sku": 7 } });
    let error = expect(site.call(&id, "fail", input.to_string()), Code::PluginError)?;
    let record = error.record();
    ensure!(record.message.contains("none left"), "the message is `{}`", record.message);
    ensure!(record.recoverable, "the error is not recoverable, though the plugin says so");
    ensure!(record.data.get("code") == Some(&json!("sold_out")), "data is {:?}", record.data);
    let whole = Value::Object(record.data.clone()).to_string();
    ensure!(whole.contains("\"sku\":7"), "the plugin's own data is not in {whole}");
    ensure!(record.plugin.as_deref() == Some("typed"), "the plugin is {:?}", record.plugin);
    ensure!(record.action.as_deref() == Some("fail"), "the action is {:?}", record.action);
    ensure!(record.generation.is_some() && record.runtime.is_some(), "generation or runtime is missing: {record:?}");
    site.echoes(&id, b"after")
}

pub(super) fn host_call(site: &Site<'_>) -> Outcome {
    let grants = ["plugin.call"].iter().filter_map(|grant| Permission::parse(grant).ok()).collect();
    let id = site.load_with("asking", Policy { grants, ..site.subject.policy() })?;
    let other = site.load("asked")?;
    let reply = site.call(&id, "call", json!({ "address": "asked/echo", "input": "hi" }).to_string()).map_err(told)?;
    ensure!(reply == b"hi", "a nested call brought back {:?}", String::from_utf8_lossy(&reply));
    let nobody = json!({ "address": "nobody/echo" }).to_string();
    // What the host refuses stays what it is when the plugin passes it on.
    expect(site.call(&id, "call", nobody), Code::PluginNotFound)?;
    let state = json!({ "function": "state.get", "args": { "key": "k" } }).to_string();
    expect(site.call(&id, "host", state), Code::PermissionDenied)?;
    let ungranted = json!({ "address": "asking/echo" }).to_string();
    expect(site.call(&other, "call", ungranted), Code::PermissionDenied)?;
    site.echoes(&id, b"after")
}

pub(super) fn panic(site: &Site<'_>) -> Outcome {
    let id = site.load("panicking")?;
    let error = expect(site.call(&id, "panic", "boom"), Code::Panicked)?;
    ensure!(error.record().message.contains("boom"), "the message does not say why: {}", told(error));
    site.comes_back(&id)?;
    let mut reply = Vec::new();
    let inline = site.action(&id, "panic")?.call_inline(b"bang", &mut reply).map(|()| reply);
    expect(inline, Code::Panicked)?;
    site.comes_back(&id)
}

pub(super) fn abort(site: &Site<'_>) -> Outcome {
    let id = site.load("aborting")?;
    let expected = match site.subject.cell() {
        cell if cell.is_wasm() => Code::Trapped,
        // From afar a process that died is one that cannot be reached any longer.
        Cell::RemoteGrpc | Cell::WebSocket => Code::PeerGone,
        _ => Code::Crashed,
    };
    expect(site.call(&id, "abort", ""), expected)?;
    site.comes_back(&id)
}

/// Longer than any check waits: what ends such a call is not its deadline.
pub(super) const LONG: Duration = Duration::from_secs(10 * crate::PATIENCE.as_secs());

/// A policy under which a call may take that long.
pub(super) fn leisurely(site: &Site<'_>) -> Policy {
    let call_deadline_ms = u64::try_from(LONG.as_millis()).ok();
    Policy { limits: Limits { call_deadline_ms, ..Limits::default() }, ..site.subject.policy() }
}

/// A hang's input, and the file that ends it where nothing else can.
pub(super) fn endless(site: &Site<'_>) -> (String, std::path::PathBuf) {
    let release = site.folder().join("release");
    (json!({ "release": release }).to_string(), release)
}

/// Polls a call until its plugin says that it hangs: only then is there something to stop.
pub(super) fn hangs<T>(site: &Site<'_>, id: &PluginId, call: &mut (impl Future<Output = T> + Unpin)) -> Outcome {
    let mut ended = false;
    let heard = site.eventually(|| {
        ended |= block_on(poll_once(&mut *call)).is_some();
        ended || site.hears(id, "hanging")
    });
    ensure!(!ended, "the hanging call has ended");
    ensure!(heard, "the call does not begin");
    Ok(())
}

pub(super) fn hang(site: &Site<'_>) -> Outcome {
    let id = site.load("hanging")?;
    let (input, release) = endless(site);
    let options = CallOptions::within(Duration::from_millis(150));
    let late = block_on(site.action(&id, "hang")?.call_with(input.clone(), options.clone()));
    expect(late, Code::DeadlineExceeded)?;
    if site.subject.cell().runs_to_its_end() {
        std::fs::write(release, "").map_err(|error| error.to_string())?;
        return site.comes_back(&id);
    }
    site.comes_back(&id)?;
    let mut reply = Vec::new();
    let inline = site.action(&id, "hang")?.call_inline_with(input.as_bytes(), &mut reply, options).map(|()| reply);
    expect(inline, Code::DeadlineExceeded)?;
    site.comes_back(&id)
}

pub(super) fn cancel(site: &Site<'_>) -> Outcome {
    let id = site.load_with(&site.unique("cancelled"), leisurely(site))?;
    let (input, release) = endless(site);
    let (hanging, echo) = (site.action(&id, "hang")?, site.action(&id, "echo")?);
    block_on(async {
        let mut call = Box::pin(hanging.call_with(input, CallOptions::within(LONG)));
        let mut next = pin!(echo.call_with("next", site.patient()));
        hangs(site, &id, &mut call)?;
        ensure!(poll_once(next.as_mut()).await.is_none(), "a call went past the one that hangs");
        let waits = site.eventually(|| site.kernel.slot(&id).is_ok_and(|slot| slot.waiting() == 1));
        ensure!(waits, "the second call does not wait for the first");
        drop(call);
        if site.subject.cell().runs_to_its_end() {
            std::fs::write(release, "").map_err(|error| error.to_string())?;
        }
        let reply = next.await.map_err(told)?;
        ensure!(reply == b"next", "the call after the dropped one brought back {reply:?}");
        Ok(())
    })
}

pub(super) fn memory_limit(site: &Site<'_>) -> Outcome {
    let limits = Limits { memory: Some(64 * MIB), ..Limits::default() };
    let id = site.load_with("greedy", Policy { limits, ..site.subject.policy() })?;
    site.call(&id, "allocate", json!({ "mib": 8 }).to_string()).map_err(told)?;
    expect(site.call(&id, "allocate", json!({ "mib": 512 }).to_string()), Code::MemoryLimit)?;
    site.comes_back(&id)
}

/// Whatever one plugin does to itself, the one beside it goes on.
pub(super) fn siblings(site: &Site<'_>) -> Outcome {
    let (bad, good) = (site.load_with(&site.unique("bad"), leisurely(site))?, site.load("good")?);
    site.call(&good, "counter", "").map_err(told)?;
    let _ = site.call(&bad, "panic", "on purpose");
    if site.subject.cell() != Cell::NativeInProcess {
        let _ = site.call(&bad, "abort", "");
    }
    site.comes_back(&bad)?;
    let (input, release) = endless(site);
    let hanging = site.action(&bad, "hang")?;
    block_on(async {
        let mut call = Box::pin(hanging.call_with(input, CallOptions::within(LONG)));
        hangs(site, &bad, &mut call)?;
        for _ in 0..100 {
            let reply = site.action(&good, "echo")?.call("still here").await.map_err(told)?;
            ensure!(reply == b"still here", "the sibling answered {reply:?}");
        }
        Ok(())
    })?;
    std::fs::write(release, "").map_err(|error| error.to_string())?;
    // Its state is what it was: it was not restarted behind anybody's back.
    let counter = site.call(&good, "counter", "").map_err(told)?;
    ensure!(counter == b"2", "the sibling lost its state: {}", String::from_utf8_lossy(&counter));
    Ok(())
}

/// The error, if it has this code.
fn expect(result: Result<Vec<u8>, Error>, code: Code) -> Result<Error, String> {
    match result {
        Ok(reply) => Err(format!("there should be `{code}`, not a reply of {} bytes", reply.len())),
        Err(error) if error.code() == code => Ok(error),
        Err(error) => Err(format!("there should be `{code}`: {}", told(error))),
    }
}
