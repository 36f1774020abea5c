//! gRPC statuses and the contract's codes, both ways.

use midplane_contract::{Code, Error};
use serde_json::{Map, Value};
use tonic::Status;

use crate::proto::v1;

/// How grpcio begins the text of an exception that nobody caught.
const UNCAUGHT: &str = "Exception calling application: ";

/// The contract's code for a gRPC status that is no success; `None` for those that are the plugin's own affair.
#[must_use]
pub fn code_of(status: tonic::Code) -> Option<Code> {
    use tonic::Code as Grpc;
    match status {
        Grpc::Cancelled => Some(Code::Cancelled),
        Grpc::InvalidArgument => Some(Code::InvalidInput),
        Grpc::DeadlineExceeded => Some(Code::DeadlineExceeded),
        Grpc::PermissionDenied | Grpc::Unauthenticated => Some(Code::PermissionDenied),
        Grpc::ResourceExhausted => Some(Code::Overloaded),
        Grpc::Unimplemented => Some(Code::NotSupported),
        Grpc::Unavailable => Some(Code::PeerGone),
        Grpc::Ok
        | Grpc::Unknown
        | Grpc::NotFound
        | Grpc::AlreadyExists
        | Grpc::FailedPrecondition
        | Grpc::Aborted
        | Grpc::OutOfRange
        | Grpc::Internal
        | Grpc::DataLoss => None,
    }
}

/// The gRPC status for a code of the contract, for those who answer gRPC callers.
#[must_use]
pub fn status_of(code: Code) -> tonic::Code {
    use tonic::Code as Grpc;
    match code {
        Code::PluginNotFound | Code::ActionNotFound | Code::DependencyNotFound | Code::KeyNotFound => Grpc::NotFound,
        Code::AlreadyRegistered | Code::AlreadyLoaded => Grpc::AlreadyExists,
        Code::InvalidInput | Code::ManifestInvalid | Code::ConfigInvalid => Grpc::InvalidArgument,
        Code::DeadlineExceeded => Grpc::DeadlineExceeded,
        Code::Cancelled => Grpc::Cancelled,
        Code::PermissionDenied | Code::SignatureInvalid | Code::ChecksumMismatch => Grpc::PermissionDenied,
        Code::MemoryLimit | Code::LimitExceeded | Code::Overloaded => Grpc::ResourceExhausted,
        Code::PeerGone | Code::Crashed | Code::BreakerOpen => Grpc::Unavailable,
        Code::NotSupported => Grpc::Unimplemented,
        Code::NotLoaded
        | Code::NotRunning
        | Code::HasDependents
        | Code::VersionMismatch
        | Code::DependencyConflict
        | Code::DependencyCycle
        | Code::UnsupportedRuntime
        | Code::UnsupportedPlatform
        | Code::NotAPlugin
        | Code::WrongArchitecture
        | Code::MissingSymbol
        | Code::AbiMismatch
        | Code::BuildIdMismatch
        | Code::LimitNotEnforceable
        | Code::CallCycle
        | Code::DepthExceeded => Grpc::FailedPrecondition,
        Code::Panicked | Code::Trapped | Code::PluginError => Grpc::Unknown,
        Code::ProtocolError | Code::Storage | Code::Io | Code::Internal => Grpc::Internal,
    }
}

/// What a status means that the service at `endpoint` answered `method` with, or that stands for a lost connection.
pub(crate) fn error_of(status: &Status, endpoint: &str, method: &str) -> Error {
    let (grpc, text) = (status.code(), cut(status.message()));
    if is_too_large(status) {
        return too_large(text, endpoint);
    }
    if is_lost(status) {
        return lost(status, endpoint);
    }
    let name = name_of(grpc);
    let error = match (code_of(grpc), text.strip_prefix(UNCAUGHT)) {
        (None, Some(exception)) => Error::new(Code::Panicked, exception)
            .remedy("see the service's own log; it goes on, what the call was about may be half done"),
        (None, None) => Error::new(Code::PluginError, text).with("code", name),
        (Some(Code::NotSupported), _) => {
            Error::new(Code::NotSupported, format!("the service at {endpoint} does not offer `{method}`: {text}"))
                .remedy("the service has to implement it, as contract/plugin.proto describes")
        }
        (Some(code @ Code::PeerGone), _) => Error::new(code, format!("{endpoint} says that it is unavailable: {text}"))
            .remedy("try again; if it stays so, look at the service's log"),
        (Some(code), _) => Error::new(code, text),
    };
    error.with("grpc_status", name).with("endpoint", endpoint)
}

/// Whether the connection was lost, or the service says that it goes.
fn is_lost(status: &Status) -> bool {
    // What the service itself answered has no source.
    std::error::Error::source(status).is_some()
}

/// The connection to an endpoint was lost while it was asked something.
fn lost(status: &Status, endpoint: &str) -> Error {
    Error::new(
        Code::PeerGone,
        format!("the connection to {endpoint} was lost during the call: {}", cut(status.message())),
    )
    .remedy("the host connects again by itself; whether the call was carried out is not known")
    .with("endpoint", endpoint)
    .caused_by(status)
}

fn is_too_large(status: &Status) -> bool {
    let text = status.message();
    match status.code() {
        tonic::Code::OutOfRange => text.contains("message length too large"),
        tonic::Code::ResourceExhausted => text.contains("larger than max") || text.contains("message length too large"),
        _ => false,
    }
}

fn too_large(text: &str, endpoint: &str) -> Error {
    Error::new(Code::LimitExceeded, format!("a message of or to {endpoint} is larger than is allowed: {text}"))
        .remedy("mark the action `stream: true` in the service, or raise `entry.connection.message` on both sides")
        .with("which", "message")
        .with("endpoint", endpoint)
}

/// The plugin's own error, whole.
pub(crate) fn error_from(told: v1::Error) -> Error {
    let code = Code::from_name(&told.code);
    let mut error = Error::new(code.unwrap_or(Code::PluginError), told.message);
    if code.is_none() && !told.code.is_empty() {
        error = error.with("code", told.code);
    }
    match serde_json::from_str(&told.data) {
        Ok(Value::Object(data)) => error = data.into_iter().fold(error, |error, (key, value)| error.with(&key, value)),
        _ if told.data.is_empty() => {}
        _ => error = error.with("data", told.data),
    }
    if !told.remedy.is_empty() {
        error = error.remedy(told.remedy);
    }
    match told.recoverable {
        Some(recoverable) => error.recoverable(recoverable),
        None => error,
    }
}

/// An error of the host, as a service is told it.
pub(crate) fn told(error: &Error) -> v1::Error {
    let record = error.record();
    let data = if record.data == Map::new() { String::new() } else { Value::Object(record.data.clone()).to_string() };
    v1::Error {
        code: record.code.as_str().to_owned(),
        message: record.message.clone(),
        recoverable: Some(record.recoverable),
        data,
        remedy: record.remedy.clone().unwrap_or_default(),
    }
}

/// The name of a status as gRPC's documents write it.
fn name_of(status: tonic::Code) -> &'static str {
    use tonic::Code as Grpc;
    match status {
        Grpc::Ok => "OK",
        Grpc::Cancelled => "CANCELLED",
        Grpc::Unknown => "UNKNOWN",
        Grpc::InvalidArgument => "INVALID_ARGUMENT",
        Grpc::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Grpc::NotFound => "NOT_FOUND",
        Grpc::AlreadyExists => "ALREADY_EXISTS",
        Grpc::PermissionDenied => "PERMISSION_DENIED",
        Grpc::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Grpc::FailedPrecondition => "FAILED_PRECONDITION",
        Grpc::Aborted => "ABORTED",
        Grpc::OutOfRange => "OUT_OF_RANGE",
        Grpc::Unimplemented => "UNIMPLEMENTED",
        Grpc::Internal => "INTERNAL",
        Grpc::Unavailable => "UNAVAILABLE",
        Grpc::DataLoss => "DATA_LOSS",
        Grpc::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Enough of a text.
fn cut(text: &str) -> &str {
    const MOST: usize = 2000;
    let end = (0..=MOST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_a_status_has_of_its_own_survives_both_ways() {
        for code in Code::ALL {
            let back = code_of(status_of(*code));
            let shared = [Code::SignatureInvalid, Code::ChecksumMismatch, Code::MemoryLimit, Code::LimitExceeded];
            let grouped = [Code::ManifestInvalid, Code::ConfigInvalid, Code::Crashed, Code::BreakerOpen];
            if back.is_some() && !shared.contains(code) && !grouped.contains(code) {
                assert_eq!(back, Some(*code));
            }
        }
    }

    #[test]
    fn a_status_of_the_services_own_is_a_plugin_error_with_its_name() {
        let error = error_of(&Status::not_found("no such song"), "grpc://a:1", "play");
        assert_eq!(error.code(), Code::PluginError);
        assert_eq!(error.record().data.get("code").unwrap(), "NOT_FOUND");
        assert_eq!(error.record().message, "no such song");
    }

    #[test]
    fn an_exception_that_nobody_caught_is_a_panic() {
        let error = error_of(&Status::unknown("Exception calling application: boom"), "grpc://a:1", "x");
        assert_eq!((error.code(), error.record().message.as_str()), (Code::Panicked, "boom"));
        assert_eq!(error_of(&Status::unknown("boom"), "grpc://a:1", "x").code(), Code::PluginError);
    }

    #[test]
    fn the_plugins_own_error_stays_whole() {
        let own = v1::Error {
            code: "sold_out".into(),
            message: "none left".into(),
            recoverable: Some(true),
            data: r#"{"sku":7}"#.into(),
            remedy: "wait".into(),
        };
        let error = error_from(own);
        let record = error.record();
        assert_eq!((record.code, record.recoverable), (Code::PluginError, true));
        assert_eq!(record.data.get("code").unwrap(), "sold_out");
        assert_eq!(record.data.get("sku").unwrap(), 7);
        assert_eq!(error_from(told(&Error::new(Code::Overloaded, "x"))).code(), Code::Overloaded);
    }
}
