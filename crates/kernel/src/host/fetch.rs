//! `http.fetch`: through the gate, with every redirect, to whatever [`crate::Fetch`] the host was given.

use midplane_contract::{Code, Error, HostFunction, PluginId, Result, defaults};
use serde_json::{Map, Value, json};

use super::{Binding, missing};
use crate::call::Scope;
use crate::fetch::{FetchAnswer, FetchRequest, Pass, Place, Reach};
use crate::kernel::Inner;
use crate::runtime::Within;

/// Fetches for the plugin: one line of JSON with status and headers, a line feed, the body.
pub(super) fn fetch(
    binding: &Binding,
    kernel: &Inner,
    within: &Within<'_>,
    args: &Value,
    body: &[u8],
) -> Result<Vec<u8>> {
    let Some(client) = &kernel.fetch else { return Err(super::not_offered(HostFunction::HttpFetch)) };
    let generation = kernel.generation_of(&binding.plugin, binding.generation);
    let cap = generation.map_or(defaults::PAYLOAD_CAP, |generation| generation.payload);
    if body.len() > cap {
        return Err(too_large("the body of the request has", cap));
    }
    let deadline = within.scope.deadline.instant();
    let errand = binding.fetching.begin(binding.seat, deadline)?;
    let request = FetchRequest {
        method: args.get("method").map_or(Some("GET"), Value::as_str).ok_or_else(|| missing("method"))?,
        url: args.get("url").and_then(Value::as_str).ok_or_else(|| missing("url"))?,
        headers: headers(args)?,
        body,
        cap,
        deadline,
        stop: errand.stop.clone(),
    };
    let answer = client.fetch(&request, &AtTheGate { kernel, plugin: &binding.plugin, scope: within.scope })?;
    written(answer, cap)
}

/// The gate, on behalf of one call.
struct AtTheGate<'a> {
    kernel: &'a Inner,
    plugin: &'a PluginId,
    scope: &'a Scope,
}

impl Pass for AtTheGate<'_> {
    fn pass(&self, place: &Place<'_>) -> Result<Reach> {
        self.kernel.check_web(self.plugin, self.scope, place)
    }
}

fn headers(args: &Value) -> Result<Vec<(&str, &str)>> {
    let given = match args.get("headers") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(Error::new(Code::InvalidInput, "the argument `headers` is no object of texts")),
    };
    let no_text = |name: &String| {
        Error::new(Code::InvalidInput, format!("the value of the header `{name}` is no text"))
            .remedy("give every header one text; several values are joined with a comma")
    };
    given.iter().map(|(name, value)| Ok((name.as_str(), value.as_str().ok_or_else(|| no_text(name))?))).collect()
}

/// The answer as plugins get it. One header that came more than once is joined with `, `.
fn written(answer: FetchAnswer, cap: usize) -> Result<Vec<u8>> {
    let mut headers = Map::new();
    for (name, value) in answer.headers {
        match headers.get_mut(&name) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            _ => drop(headers.insert(name, Value::String(value))),
        }
    }
    let mut bytes = super::json(&json!({ "status": answer.status, "headers": headers }))?;
    bytes.push(b'\n');
    if bytes.len() + answer.body.len() > cap {
        return Err(too_large("the answer, with its headers, has", cap));
    }
    bytes.extend_from_slice(&answer.body);
    Ok(bytes)
}

fn too_large(what: &str, cap: usize) -> Error {
    Error::new(Code::LimitExceeded, format!("{what} more than {cap} bytes"))
        .remedy("fetch it in parts, with a `range` header, or raise limits.payload")
        .with("which", "payload")
        .with("limit", cap as u64)
        .with("stage", "body")
}
