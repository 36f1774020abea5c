//! Hooks as methods: what they are called, what goes with them, what their answers mean.

use midplane_contract::{Error, Hook};
use serde_json::{Map, Value, json};

use super::answer;
use super::fields::Fields;
use super::payload::{Encoding, string};

/// The hooks that a plugin is asked for which names none.
pub(super) const USUAL: [Hook; 6] = [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup, Hook::Health, Hook::Event];

/// What the hook is called.
pub(super) fn method(hook: Hook) -> &'static str {
    match hook {
        Hook::Init => "initialize",
        Hook::Health => "health_check",
        other => other.name(),
    }
}

/// Writes the params of a hook; what is returned is the line that follows.
pub(super) fn params(hook: Hook, plugin: &str, input: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Option<Vec<u8>> {
    let json = std::str::from_utf8(input).ok().filter(|text| !text.trim().is_empty()).unwrap_or("{}");
    if hook == Hook::Event {
        out.extend_from_slice(one_line(json).as_bytes());
        return None;
    }
    out.extend_from_slice(b"{\"plugin_id\":");
    string(plugin, out);
    let follows = match hook {
        Hook::Init | Hook::ValidateConfig | Hook::ConfigChanged => {
            out.extend_from_slice(b",\"config\":");
            out.extend_from_slice(one_line(json).as_bytes());
            None
        }
        Hook::DependencyChanged => {
            for (name, value) in Fields::of(json).unwrap_or_default().iter() {
                out.extend_from_slice(format!(",\"{name}\":{}", one_line(value)).as_bytes());
            }
            None
        }
        Hook::ImportState => encoding.write("input", input, out),
        Hook::Migrate | Hook::MigrateBack => {
            let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
            let (head, bytes) = input.split_at(end);
            let head = std::str::from_utf8(head).unwrap_or("{}");
            if let Some(from) = Fields::of(head).unwrap_or_default().get("from") {
                out.extend_from_slice(format!(",\"from\":{from}").as_bytes());
            }
            encoding.write("input", bytes.get(1..).unwrap_or_default(), out)
        }
        _ => None,
    };
    out.push(b'}');
    follows
}

fn one_line(json: &str) -> String {
    json.trim().replace(['\n', '\r'], " ")
}

/// Whether bytes are what the hook answers.
pub(super) fn answers_bytes(hook: Hook) -> bool {
    matches!(hook, Hook::ExportState | Hook::Migrate | Hook::MigrateBack | Hook::GetConfig)
}

/// The answer to a hook that answers no bytes, for the host.
///
/// # Errors
/// What the plugin says went wrong: `{"success": false, "error": "why"}`.
pub(super) fn result(hook: Hook, json: &[u8]) -> Result<Vec<u8>, Error> {
    let said: Map<String, Value> = serde_json::from_slice(json).unwrap_or_default();
    if said.get("success") == Some(&Value::Bool(false)) {
        let why = said.get("error").filter(|why| !why.is_null()).cloned();
        return Err(answer::error(&why.unwrap_or_else(|| json!(format!("{} did not succeed", method(hook))))));
    }
    Ok(match hook {
        Hook::Health => health(said),
        Hook::Event if !says_nothing(json, &said) => json.to_vec(),
        _ => Vec::new(),
    })
}

/// Whether a result is no more than "done".
fn says_nothing(json: &[u8], said: &Map<String, Value>) -> bool {
    let done = said.len() == 1 && said.get("success") == Some(&Value::Bool(true));
    done || matches!(json.trim_ascii(), b"" | b"null" | b"{}")
}

/// `{"status", "details"}` from that, or from `{"healthy", "status", "error"}`.
fn health(mut said: Map<String, Value>) -> Vec<u8> {
    if let Some(healthy) = said.remove("healthy").and_then(|healthy| healthy.as_bool()) {
        let mut details = Map::new();
        details.extend(["status", "error"].iter().filter_map(|name| Some(((*name).to_owned(), said.remove(*name)?))));
        if let Some(Value::Object(more)) = said.remove("details") {
            details.extend(more);
        }
        let status = if healthy { "healthy" } else { "unhealthy" };
        said = Map::from_iter([("status".to_owned(), json!(status)), ("details".to_owned(), Value::Object(details))]);
    }
    serde_json::to_vec(&said).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(hook: Hook, input: &[u8]) -> String {
        let mut out = Vec::new();
        assert_eq!(params(hook, "p", input, Encoding::default(), &mut out), None);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_hook_has_its_params() {
        assert_eq!(written(Hook::Init, b"{\"a\":\n1}"), r#"{"plugin_id":"p","config":{"a": 1}}"#);
        assert_eq!(written(Hook::Start, b""), r#"{"plugin_id":"p"}"#);
        assert_eq!(written(Hook::Event, b"{\"event_type\":\"x\"}"), r#"{"event_type":"x"}"#);
        let changed = written(Hook::DependencyChanged, br#"{"id":"q","available":true}"#);
        assert_eq!(changed, r#"{"plugin_id":"p","id":"q","available":true}"#);
        assert_eq!(written(Hook::ImportState, b"\0"), r#"{"plugin_id":"p","base64":"AA=="}"#);
        let migrate = written(Hook::Migrate, b"{\"from\":\"1\"}\nstate");
        assert_eq!(migrate, r#"{"plugin_id":"p","from":"1","text":"state"}"#);
    }

    #[test]
    fn health_is_understood_in_both_spellings() {
        let said = |json: &str| String::from_utf8(result(Hook::Health, json.as_bytes()).unwrap()).unwrap();
        assert_eq!(said(r#"{"status":"degraded","details":{"n":1}}"#), r#"{"status":"degraded","details":{"n":1}}"#);
        let older = said(r#"{"healthy":false,"status":"tired","error":"no sleep"}"#);
        assert_eq!(older, r#"{"status":"unhealthy","details":{"status":"tired","error":"no sleep"}}"#);
        assert_eq!(said(r#"{"success":true,"healthy":true}"#), r#"{"status":"healthy","details":{}}"#);
    }

    #[test]
    fn what_did_not_succeed_is_an_error() {
        let error = result(Hook::Start, br#"{"success":false,"error":"no port"}"#).unwrap_err();
        assert_eq!(error.record().message, "no port");
        assert!(result(Hook::Start, br#"{"success":true}"#).is_ok_and(|bytes| bytes.is_empty()));
        assert!(result(Hook::Start, b"").is_ok());
        for nothing in ["", "null", "{}", " {} ", r#"{"success":true}"#] {
            assert!(result(Hook::Event, nothing.as_bytes()).is_ok_and(|bytes| bytes.is_empty()), "{nothing}");
        }
        assert_eq!(result(Hook::Event, br#"{"total":3}"#).unwrap(), br#"{"total":3}"#);
    }
}
