//! What can go wrong in an engine, and what it is called in the contract.

use midplane_contract::{Code, Error};
use rquickjs::{Ctx, Value};
use serde_json::{Map, Value as Json};

use crate::clock::Stop;
use crate::inside::Inside;
use crate::tools::{Tool, Tools};

/// The error of what the engine gave back, which is taken out of it. An engine that was stopped in the middle or ran out of
/// memory is spent then.
#[cold]
pub(crate) fn explain(ctx: &Ctx<'_>, inside: &Inside, error: &rquickjs::Error) -> Error {
    let thrown = matches!(error, rquickjs::Error::Exception).then(|| ctx.catch());
    if let Some(stop) = inside.clock.stopped() {
        let error = stopped(stop);
        inside.spend(&error);
        return error;
    }
    let error = match (thrown, error) {
        (Some(thrown), _) if is_out_of_memory(&thrown) => out_of_memory(),
        (Some(thrown), _) => of_thrown(ctx, inside, thrown),
        (None, rquickjs::Error::Allocation) => out_of_memory(),
        (None, rquickjs::Error::InvalidString(_) | rquickjs::Error::Utf8(_)) => {
            Error::new(Code::InvalidInput, format!("the input is no text that JavaScript can hold: {error}"))
        }
        (None, other) => Error::new(Code::Internal, format!("the JavaScript engine: {other}")),
    };
    if error.code() == Code::MemoryLimit {
        inside.spend(&error);
    }
    error
}

/// The error of code that was stopped.
pub(crate) fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Deadline => Error::new(Code::DeadlineExceeded, "the plugin was stopped: its time was over")
            .remedy("give the call a longer deadline, or the plugin less to do"),
        Stop::Cancelled => Error::new(Code::Cancelled, "the plugin was stopped: the caller gave up"),
    }
}

/// The error of a promise that had not settled when the time was over.
pub(crate) fn unsettled(stop: Stop, may_settle: bool) -> Error {
    let error = match stop {
        Stop::Cancelled => return Error::new(Code::Cancelled, "the call was given up while the plugin waited"),
        Stop::Deadline => Error::new(Code::DeadlineExceeded, "the plugin's promise did not settle in time"),
    };
    error.remedy(if may_settle {
        "give the call a longer deadline, or see what the plugin waits for"
    } else {
        "no timer and no question to the host is under way in the plugin: see which promise is never resolved"
    })
}

fn out_of_memory() -> Error {
    Error::new(Code::MemoryLimit, "the plugin needs more memory than it may have")
        .remedy("raise limits.memory, or give the plugin smaller inputs")
}

fn is_out_of_memory(thrown: &Value<'_>) -> bool {
    // With no memory left for the error itself, the engine throws null.
    if thrown.is_null() {
        return true;
    }
    let message = thrown.clone().into_exception().and_then(|exception| exception.message());
    message.as_deref() == Some("out of memory") && is_the_engines(thrown)
}

/// Whether it is an error of the engine itself.
fn is_the_engines(thrown: &Value<'_>) -> bool {
    let name = thrown.as_object().and_then(|object| object.get::<_, String>("name").ok());
    name.as_deref() == Some("InternalError")
}

/// What the plugin threw, as `contract/js.md` says.
fn of_thrown<'js>(ctx: &Ctx<'js>, inside: &Inside, thrown: Value<'js>) -> Error {
    let message = thrown.clone().into_exception().and_then(|exception| exception.message());
    if let Some(refusal) = message.as_deref().and_then(|message| inside.sources.take_refusal(message)) {
        return refusal;
    }
    if let Some(message) = message.filter(|_| is_the_engines(&thrown)) {
        return Error::new(Code::Panicked, format!("InternalError: {message}"));
    }
    let described = Tools::of(ctx).and_then(|tools| tools.get(Tool::Describe)?.call::<_, String>((thrown.clone(),)));
    let described = match described {
        Ok(text) => text,
        Err(error) => {
            let again = matches!(error, rquickjs::Error::Exception).then(|| ctx.catch());
            if let Some(stop) = inside.clock.stopped() {
                return stopped(stop);
            }
            return match again {
                Some(again) if is_out_of_memory(&again) => out_of_memory(),
                _ => Error::new(Code::Panicked, "the plugin threw something that cannot be described"),
            };
        }
    };
    serde_json::from_str(&described).map_or_else(|error| Error::new(Code::Internal, error.to_string()), of_record)
}

/// The error of a record as `sdk/js/src/outcome.js` makes it.
fn of_record(record: Map<String, Json>) -> Error {
    let text = |key: &str| record.get(key).and_then(Json::as_str).unwrap_or_default();
    let code = Code::from_name(text("code")).unwrap_or(Code::PluginError);
    let recoverable = record.get("recoverable").and_then(Json::as_bool).unwrap_or(false);
    let error = Error::new(code, text("message")).recoverable(recoverable);
    let data = record.get("data").and_then(Json::as_object);
    data.into_iter().flatten().fold(error, |error, (key, value)| error.with(key, value.clone()))
}
