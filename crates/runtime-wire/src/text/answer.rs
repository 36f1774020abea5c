//! Errors of plugins.

use midplane_contract::{Code, Error};
use serde_json::{Map, Value};

/// The contract's codes that a plugin may answer with as its own. What else the contract has is the host's to say.
const OWN: [Code; 7] = [
    Code::InvalidInput,
    Code::ConfigInvalid,
    Code::NotSupported,
    Code::LimitExceeded,
    Code::Overloaded,
    Code::Cancelled,
    Code::Panicked,
];

/// The error that a plugin answered with: a record, or a sentence.
pub(super) fn error(said: &Value) -> Error {
    let Value::Object(fields) = said else {
        let message = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        return Error::new(Code::PluginError, message);
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let word = fields.get("code").filter(|code| !code.is_null());
    let own = word.and_then(Value::as_str).and_then(Code::from_name).filter(|code| OWN.contains(code));
    let mut error =
        Error::new(own.unwrap_or(Code::PluginError), text("message").unwrap_or("it failed, and did not say why"));
    match fields.get("data") {
        Some(Value::Object(data)) => {
            for (key, value) in data {
                error = error.with(key, value.clone());
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => error = error.with("data", other.clone()),
    }
    if let (None, Some(word)) = (own, word.filter(|word| word.as_str() != Some(Code::PluginError.as_str()))) {
        error = error.with("code", word.clone());
    }
    if let Some(remedy) = text("remedy") {
        error = error.remedy(remedy);
    }
    match fields.get("recoverable").and_then(Value::as_bool) {
        Some(recoverable) => error.recoverable(recoverable),
        None => error,
    }
}

/// Whether an error says that there is no such hook.
pub(super) fn is_unknown_method(said: &Value) -> bool {
    let begins = |text: Option<&str>| text.is_some_and(|text| text.starts_with("unknown method"));
    match said {
        Value::Object(fields) => {
            let code = fields.get("code");
            code == Some(&Value::from(-32601))
                || code.and_then(Value::as_str) == Some(Code::NotSupported.as_str())
                || begins(fields.get("message").and_then(Value::as_str))
        }
        other => begins(other.as_str()),
    }
}

/// What a plugin is told about an error of the host.
pub(super) fn told(error: &Error) -> Map<String, Value> {
    let record = error.record();
    let mut said = Map::new();
    said.insert("code".to_owned(), record.code.as_str().into());
    said.insert("message".to_owned(), record.message.clone().into());
    if !record.data.is_empty() {
        said.insert("data".to_owned(), Value::Object(record.data.clone()));
    }
    said.insert("recoverable".to_owned(), record.recoverable.into());
    if let Some(remedy) = &record.remedy {
        said.insert("remedy".to_owned(), remedy.clone().into());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_plugins_own_word_stands_in_the_data() {
        let answered =
            error(&json!({"code": "sold_out", "message": "none left", "data": {"sku": 7}, "recoverable": true}));
        let record = answered.record();
        assert_eq!((record.code, record.message.as_str(), record.recoverable), (Code::PluginError, "none left", true));
        assert_eq!((&record.data["code"], &record.data["sku"]), (&json!("sold_out"), &json!(7)));
        assert_eq!(error(&json!({"code": "invalid_input", "message": "x"})).code(), Code::InvalidInput);
        assert_eq!(error(&json!("just so")).record().message, "just so");
        assert!(!error(&json!({"code": "plugin_error", "message": "x"})).record().data.contains_key("code"));
    }

    #[test]
    fn a_plugin_cannot_speak_for_the_host() {
        for code in ["permission_denied", "crashed", "deadline_exceeded", "peer_gone", "internal"] {
            let error = error(&json!({"code": code, "message": "x"}));
            assert_eq!((error.code(), &error.record().data["code"]), (Code::PluginError, &json!(code)));
        }
    }

    #[test]
    fn an_unknown_method_is_recognized() {
        for said in [json!("unknown method: stop"), json!({"code": -32601}), json!({"code": "not_supported"})] {
            assert!(is_unknown_method(&said), "{said}");
        }
        assert!(!is_unknown_method(&json!({"code": "x", "message": "an unknown method"})));
    }
}
