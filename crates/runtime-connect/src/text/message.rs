//! Messages as they are written and read.

use midplane_contract::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::payload::{broken, bytes};

/// What a plugin writes. Unknown fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    #[serde(borrow)]
    pub(super) params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    text: Option<String>,
    base64: Option<String>,
    #[serde(default)]
    pub(super) more: bool,
    pub(super) error: Option<Value>,
}

/// A `null` that is written counts as a result.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// `protocol_error` that quotes its beginning.
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let message: Self = serde_json::from_str(text).map_err(|error| {
            let begins: String = text.chars().take(80).collect();
            broken(&format!("a message that cannot be read: {error} (it begins with {begins:?})"))
        })?;
        let answers = message.result.is_some() || message.text.is_some() || message.base64.is_some();
        if message.method.is_none() && !answers && message.error.is_none() {
            return Err(broken("a message that is neither request nor answer"));
        }
        Ok(message)
    }

    /// The bytes that it answers with.
    pub(super) fn payload(&mut self) -> Result<Vec<u8>> {
        bytes(self.result, self.text.take(), self.base64.as_deref())
    }
}

/// A request of the host. `fields` and `payload` are params; a payload brings its own comma.
pub(super) fn request(id: u32, method: &str, fields: &Value, payload: &str) -> String {
    let fields = fields.to_string();
    let open = fields.trim_end_matches('}');
    let payload = if open == "{" { payload.trim_start_matches(',') } else { payload };
    // Only the last brace is the object's own.
    let open = fields.strip_suffix('}').unwrap_or(open);
    format!("{{\"id\":\"{id}\",\"method\":{},\"params\":{open}{payload}}}}}", Value::from(method))
}

/// A notice of the host.
pub(super) fn notice(method: &str, params: &impl Serialize) -> String {
    json!({ "method": method, "params": params }).to_string()
}

/// The host's answer, with a payload that brings its own comma.
pub(super) fn answer(id: &Value, payload: &str) -> String {
    let payload = if payload.is_empty() { ",\"result\":null" } else { payload };
    format!("{{\"id\":{id}{payload}}}")
}

/// The host's answer that it failed.
pub(super) fn failure(id: &Value, error: &Error) -> String {
    crate::register::failure(id, error)
}

/// What a plugin's error means to callers. Its own codes are its own.
pub(super) fn error_of(told: &Value) -> Error {
    let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let message = told.as_str().map_or_else(|| text("message"), str::to_owned);
    let word = match told.get("code") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let recoverable = told.get("recoverable").and_then(Value::as_bool).unwrap_or(false);
    let data = told.get("data").cloned();
    let own = Code::from_name(&word).filter(|code| {
        matches!(
            code,
            Code::InvalidInput
                | Code::ConfigInvalid
                | Code::NotSupported
                | Code::LimitExceeded
                | Code::Overloaded
                | Code::Cancelled
                | Code::Panicked
        )
    });
    let error = match own {
        Some(code) => data.iter().fold(Error::new(code, &message), |error, data| error.with("data", data.clone())),
        None => {
            let word = if word.is_empty() { "error".to_owned() } else { word };
            let error = Error::new(Code::PluginError, &message)
                .with("code", word)
                .with("message", message)
                .with("recoverable", recoverable);
            data.iter().fold(error, |error, data| error.with("data", data.clone()))
        }
    };
    let error = error.recoverable(recoverable);
    match text("remedy") {
        remedy if remedy.is_empty() => error,
        remedy => error.remedy(remedy),
    }
}

/// Whether an error says that there is no such method.
pub(super) fn is_unknown_method(told: &Value) -> bool {
    let code = told.get("code");
    let message = told.as_str().or_else(|| told.get("message")?.as_str()).unwrap_or_default();
    code.and_then(Value::as_i64) == Some(-32601)
        || code.and_then(Value::as_str).is_some_and(|code| code == "not_supported" || code == "-32601")
        || message.starts_with("unknown method")
}

/// An object, or nothing.
pub(super) fn object(json: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_in_the_order_of_the_page() {
        let call = request(5, "call", &json!({ "action": "greet", "deadline_ms": 7 }), ",\"input\":{\"a\":{}}");
        assert_eq!(call, r#"{"id":"5","method":"call","params":{"action":"greet","deadline_ms":7,"input":{"a":{}}}}"#);
        assert_eq!(request(1, "x", &json!({}), ",\"text\":\"}\""), r#"{"id":"1","method":"x","params":{"text":"}"}}"#);
        assert_eq!(request(1, "x", &json!({ "config": {} }), ""), r#"{"id":"1","method":"x","params":{"config":{}}}"#);
        assert_eq!(answer(&json!(7), ""), r#"{"id":7,"result":null}"#);
    }

    #[test]
    fn messages_are_requests_or_answers() {
        assert!(Message::read(r#"{"id":"1","result":null}"#).unwrap().payload().unwrap().is_empty());
        assert_eq!(Message::read(r#"{"id":"1","result":{"a": 1}}"#).unwrap().payload().unwrap(), br#"{"a": 1}"#);
        for bad in ["", "[]", "{", r#"{"id":"1"}"#, "x"] {
            assert_eq!(Message::read(bad).unwrap_err().code(), Code::ProtocolError, "{bad}");
        }
    }

    #[test]
    fn a_plugins_codes_are_its_own() {
        let error = error_of(&json!({ "code": "sold_out", "message": "none left", "data": { "sku": 7 } }));
        assert_eq!((error.code(), error.record().data["code"].as_str()), (Code::PluginError, Some("sold_out")));
        assert_eq!(error.record().data["data"]["sku"], 7);
        assert_eq!(error_of(&json!("why")).record().message, "why");
        assert_eq!(error_of(&json!({ "code": "panicked", "message": "x" })).code(), Code::Panicked);
        // What only the host may say is the plugin's word here.
        assert_eq!(error_of(&json!({ "code": "peer_gone", "message": "x" })).code(), Code::PluginError);
        assert!(is_unknown_method(&json!({ "code": -32601 })) && is_unknown_method(&json!("unknown method: stop")));
        assert!(!is_unknown_method(&json!({ "code": "other" })));
    }
}
