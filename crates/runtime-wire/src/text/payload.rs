//! Bytes as fields of a message.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use midplane_contract::{Code, Error, defaults};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fields::Fields;

/// How a plugin wants to be given bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoding {
    /// As what.
    form: Form,
    /// Payloads of more bytes than this come behind the message.
    attach: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// JSON as JSON, other text as text.
    #[default]
    Json,
    /// Every text as text.
    Text,
    /// Everything as base64.
    Base64,
}

impl Encoding {
    pub(super) fn new(form: Form, attach: Option<usize>) -> Self {
        Self { form, attach }
    }

    /// The same without lines of their own: for carriers whose messages come whole at any size.
    #[must_use]
    pub fn inline(self) -> Self {
        Self { attach: None, ..self }
    }

    /// Adds the field for these bytes behind others, with its comma; none for no bytes. What is returned follows the
    /// message. `name` is what JSON is called here: `input` or `result`.
    pub(super) fn write(self, name: &str, bytes: &[u8], out: &mut Vec<u8>) -> Option<Vec<u8>> {
        if bytes.is_empty() {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok().filter(|_| self.form != Form::Base64);
        if self.attach.is_some_and(|most| bytes.len() > most) {
            let (field, follows) = match text {
                Some(text) if !bytes.contains(&0) => ("attached_text", text.as_bytes().to_vec()),
                _ => ("attached", BASE64_STANDARD.encode(bytes).into_bytes()),
            };
            out.extend_from_slice(format!(",\"{field}\":{}", follows.len()).as_bytes());
            return Some(follows);
        }
        match text {
            Some(json) if self.form == Form::Json && serde_json::from_str::<IgnoredAny>(json).is_ok() => {
                out.extend_from_slice(format!(",\"{name}\":").as_bytes());
                // Outside of strings a line break is a space, and in strings of JSON there is none.
                out.extend(json.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
            }
            Some(text) if !bytes.contains(&0) => {
                out.extend_from_slice(b",\"text\":");
                string(text, out);
            }
            _ => {
                out.extend_from_slice(b",\"base64\":\"");
                let start = out.len();
                out.resize(start + bytes.len().div_ceil(3) * 4, 0);
                if let Some(room) = out.get_mut(start..) {
                    // There is room for exactly this.
                    let _ = BASE64_STANDARD.encode_slice(bytes, room);
                }
                out.push(b'"');
            }
        }
        None
    }
}

/// Writes a JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Why the bytes of a message are not to be had.
pub(super) enum NoBytes {
    /// The message breaks the protocol: why.
    Breach(String),
    /// There are too many, which concerns this request alone.
    TooMany(Error),
}

/// The bytes that a message brings: those of at most one field. `name` is what JSON is called here.
pub(super) fn read(fields: &Fields<'_>, name: &str) -> Result<Vec<u8>, NoBytes> {
    let present: Vec<&str> = [name, "text", "base64"].into_iter().filter(|field| fields.get(field).is_some()).collect();
    let bytes = match present.as_slice() {
        [] => Vec::new(),
        [one] if *one == name => match fields.get(name) {
            None | Some("null") => Vec::new(),
            Some(json) => json.as_bytes().to_vec(),
        },
        ["text"] => fields.read::<String>("text").map_err(NoBytes::Breach)?.unwrap_or_default().into_bytes(),
        ["base64"] => base64(fields.get("base64").unwrap_or_default()).map_err(NoBytes::Breach)?,
        several => return Err(NoBytes::Breach(format!("it brings bytes twice, as `{}`", several.join("` and `")))),
    };
    if bytes.len() > defaults::PAYLOAD_CAP {
        let message = format!("{} bytes are more than the {} allowed", bytes.len(), defaults::PAYLOAD_CAP);
        return Err(NoBytes::TooMany(
            Error::new(Code::LimitExceeded, message)
                .remedy("send less at once, or in pieces")
                .with("which", "payload")
                .with("limit", defaults::PAYLOAD_CAP as u64),
        ));
    }
    Ok(bytes)
}

fn base64(json: &str) -> Result<Vec<u8>, String> {
    let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|error| format!("`base64`: {error}"));
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // As everybody writes it: nothing escaped.
        Some(text) if !text.contains('\\') => decode(text),
        _ => decode(&serde_json::from_str::<String>(json).map_err(|error| format!("`base64`: {error}"))?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        assert_eq!(Encoding::new(form, None).write("input", bytes, &mut out), None);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_travel_as_what_they_are() {
        assert_eq!(written(Form::Json, b""), "");
        assert_eq!(written(Form::Json, b" {\"a\":\n1.50}\n"), r#","input":{"a": 1.50}"#);
        assert_eq!(written(Form::Json, "Grüße\n\"\x01".as_bytes()), ",\"text\":\"Grüße\\n\\\"\\u0001\"");
        assert_eq!(written(Form::Json, b"a\0b"), ",\"base64\":\"YQBi\"");
        assert_eq!(written(Form::Text, b"{}"), ",\"text\":\"{}\"");
        assert_eq!(written(Form::Base64, b"{}"), ",\"base64\":\"e30=\"");
    }

    #[test]
    fn large_ones_follow_the_message() {
        let mut out = Vec::new();
        let follows = Encoding::new(Form::Text, Some(3)).write("input", b"fo\nr", &mut out).unwrap();
        assert_eq!((follows.as_slice(), out.as_slice()), (&b"fo\nr"[..], &b",\"attached_text\":4"[..]));
        let mut out = Vec::new();
        let follows = Encoding::new(Form::Text, Some(3)).write("input", b"fo\0r", &mut out).unwrap();
        assert_eq!((follows.as_slice(), out.as_slice()), (&b"Zm8Acg=="[..], &b",\"attached\":8"[..]));
        assert_eq!(Encoding::new(Form::Text, Some(3)).inline().write("input", b"four", &mut out), None);
    }

    #[test]
    fn bytes_are_read_from_one_field() {
        let bytes = |text: &str| read(&Fields::of(text).unwrap(), "result").ok();
        assert_eq!(bytes(r#"{"result": {"a": 1}}"#).unwrap(), br#"{"a": 1}"#);
        assert_eq!(bytes(r#"{"result": null}"#).unwrap(), b"");
        assert_eq!(bytes(r#"{"text": "a\u00e9"}"#).unwrap(), "aé".as_bytes());
        assert_eq!(bytes(r#"{"base64": "YQBi"}"#).unwrap(), b"a\0b");
        assert_eq!(bytes(r#"{"base64": "YQ\u0042i"}"#).unwrap(), b"a\0b");
        assert_eq!(bytes("{}").unwrap(), b"");
        for bad in [r#"{"result":1,"text":""}"#, r#"{"base64":"*"}"#, r#"{"base64":5}"#, r#"{"text":5}"#] {
            assert!(bytes(bad).is_none(), "{bad}");
        }
    }
}
