//! What can go wrong on the way, by stage. No message holds more of an address than its origin and path.

use std::error::Error as Cause;
use std::fmt;

use midplane_contract::{Code, Error, defaults};

/// Where on its way a fetch was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Looking up the name.
    Resolve,
    /// Connecting.
    Connect,
    /// Agreeing on TLS.
    Tls,
    /// Sending the request and waiting for the headers of the answer.
    Headers,
    /// Reading the body.
    Body,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Headers => "headers",
            Self::Body => "body",
        })
    }
}

fn at(code: Code, stage: Stage, message: String, remedy: &str) -> Error {
    Error::new(code, message).remedy(remedy).with("stage", stage.to_string())
}

/// Adds what a library said.
pub(crate) fn caused(error: Error, cause: &(dyn Cause + 'static)) -> Error {
    error.caused_by(cause)
}

pub(crate) fn no_such_name(host: &str) -> Error {
    let message = format!("the name `{host}` was not found");
    at(Code::PeerGone, Stage::Resolve, message, "check the name; on the host, check that it can look names up")
}

/// Says nothing of the addresses themselves: which there are behind a name is not the plugin's to learn.
pub(crate) fn not_public(shown: &str, host: &str) -> Error {
    let message = format!("{shown} is not asked: `{host}` is no machine of the public internet");
    let remedy = format!("if it is meant, an operator can grant that very host: network.http:{}", pattern(shown));
    at(Code::PermissionDenied, Stage::Resolve, message, &remedy).with("permission", format!("network.http:{shown}"))
}

/// The origin with everything behind it.
fn pattern(shown: &str) -> String {
    let behind_scheme = shown.find("://").map_or(0, |at| at + 3);
    let path = shown.get(behind_scheme..).and_then(|rest| rest.find('/')).map_or(shown.len(), |at| behind_scheme + at);
    format!("{}/**", shown.get(..path).unwrap_or(shown))
}

pub(crate) fn not_connected(shown: &str, why: &std::io::Error) -> Error {
    let message = match why.kind() {
        std::io::ErrorKind::ConnectionRefused => format!("the connection for {shown} was refused"),
        _ => format!("no connection for {shown} could be made: {why}"),
    };
    at(Code::PeerGone, Stage::Connect, message, "check host and port, and that the service runs")
}

pub(crate) fn no_tls(code: Code, shown: &str, why: &str, remedy: &str) -> Error {
    at(code, Stage::Tls, format!("there is no TLS for {shown}: {why}"), remedy)
}

pub(crate) fn broken(stage: Stage, shown: &str, cause: &hyper::Error) -> Error {
    let (code, message) = match cause.is_parse() || cause.is_parse_status() {
        true => (Code::ProtocolError, format!("the answer of {shown} is no HTTP that can be read: {cause}")),
        false => (Code::PeerGone, format!("the connection for {shown} ended before the answer was complete: {cause}")),
    };
    caused(at(code, stage, message, "look at what that service answers, and ask again"), cause)
}

pub(crate) fn too_late(stage: Stage, shown: &str) -> Error {
    let doing = match stage {
        Stage::Resolve => "its name was looked up",
        Stage::Connect => "the connection was made",
        Stage::Tls => "TLS was agreed on",
        Stage::Headers => "the headers of its answer were awaited",
        Stage::Body => "the body of its answer came in",
    };
    let message = format!("the deadline passed for {shown} while {doing}");
    at(Code::DeadlineExceeded, stage, message, "give the call more time, or look at why that service takes so long")
}

pub(crate) fn too_large(shown: &str, cap: usize) -> Error {
    let message = format!("the answer of {shown} has more than {cap} bytes");
    at(Code::LimitExceeded, Stage::Body, message, "fetch it in parts, with a `range` header, or raise limits.payload")
        .with("which", "payload")
        .with("limit", cap as u64)
}

pub(crate) fn too_many_redirects(shown: &str) -> Error {
    let most = defaults::FETCH_REDIRECTS;
    Error::new(Code::LimitExceeded, format!("more than {most} redirects, the last from {shown}"))
        .remedy("ask for the address that they lead to")
        .with("stage", "redirect")
        .with("which", "redirects")
        .with("limit", most as u64)
}

pub(crate) fn given_up(shown: &str) -> Error {
    Error::new(Code::Cancelled, format!("nobody waits for {shown} any longer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_for_a_private_host_is_a_grant_that_names_it() {
        let error = not_public("http://nas:81/a/b?**", "nas");
        let remedy = error.record().remedy.clone().unwrap();
        assert!(remedy.ends_with("network.http:http://nas:81/**"), "{remedy}");
    }
}
