//! Bytes as fields of a message, and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use midplane_contract::{Code, Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How the host writes bytes to a plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// JSON as it is, other text as text, the rest as base64.
    #[default]
    Json,
    /// Text, the rest as base64.
    Text,
    /// All of it as base64.
    Base64,
}

/// A field with bytes, `,"NAME":VALUE`, to follow others; nothing for no bytes. `json` is what JSON is called there.
pub(super) fn field(bytes: &[u8], encoding: Encoding, json: &str) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    if encoding == Encoding::Json
        && let Ok(raw) = serde_json::from_slice::<&RawValue>(bytes)
        // `null` would say that there are no bytes.
        && raw.get() != "null"
    {
        return format!(",\"{json}\":{}", raw.get());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding != Encoding::Base64 && !text.contains('\0') => {
            format!(",\"text\":{}", serde_json::Value::from(text))
        }
        _ => format!(",\"base64\":\"{}\"", STANDARD.encode(bytes)),
    }
}

/// The bytes of the fields that may hold some.
///
/// # Errors
/// `protocol_error` for two of them, and for base64 that is none.
pub(super) fn bytes(json: Option<&RawValue>, text: Option<String>, base64: Option<&str>) -> Result<Vec<u8>> {
    let json = json.map(RawValue::get).filter(|json| *json != "null");
    if usize::from(json.is_some()) + usize::from(text.is_some()) + usize::from(base64.is_some()) > 1 {
        return Err(broken("a message with two payloads"));
    }
    if let Some(base64) = base64 {
        return STANDARD.decode(base64).map_err(|error| broken(&format!("base64 that is none: {error}")));
    }
    Ok(text.map(String::into_bytes).or_else(|| json.map(|json| json.as_bytes().to_vec())).unwrap_or_default())
}

pub(super) fn broken(what: &str) -> Error {
    Error::new(Code::ProtocolError, what).remedy("see contract/text.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_plugin_asked() {
        for (bytes, encoding, expected) in [
            (&b""[..], Encoding::Json, ""),
            (b"{\"a\": 1.0}", Encoding::Json, ",\"input\":{\"a\": 1.0}"),
            (b"null", Encoding::Json, ",\"text\":\"null\""),
            (b"say \"x\"", Encoding::Json, ",\"text\":\"say \\\"x\\\"\""),
            (b"[1]", Encoding::Text, ",\"text\":\"[1]\""),
            (b"a\0", Encoding::Text, ",\"base64\":\"YQA=\""),
            (b"\xff", Encoding::Json, ",\"base64\":\"/w==\""),
            (b"x", Encoding::Base64, ",\"base64\":\"eA==\""),
        ] {
            assert_eq!(field(bytes, encoding, "input"), expected);
        }
    }

    #[test]
    fn bytes_are_read_from_whichever_field_holds_them() {
        let raw: &RawValue = serde_json::from_str("{\"n\": 10000000000000000000000}").unwrap();
        assert_eq!(bytes(Some(raw), None, None).unwrap(), b"{\"n\": 10000000000000000000000}");
        let null: &RawValue = serde_json::from_str("null").unwrap();
        assert_eq!(bytes(Some(null), Some("hi".to_owned()), None).unwrap(), b"hi");
        assert_eq!(bytes(None, None, Some("/w==")).unwrap(), b"\xff");
        assert_eq!(bytes(None, None, None).unwrap(), b"");
        assert!(bytes(Some(raw), Some("x".to_owned()), None).is_err());
        assert!(bytes(None, None, Some("?")).is_err());
    }
}
