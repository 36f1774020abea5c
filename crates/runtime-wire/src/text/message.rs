//! What a plugin says: a request, a notice, or an answer.

use midplane_contract::{Code, Error};

use super::fields::Fields;

/// Bytes of an id at most.
const ID: usize = 66;

/// One message of a plugin.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// It wants something; without an id nothing comes back. The id is kept as it is written.
    Request { id: Option<&'a str>, method: String, params: Fields<'a> },
    /// It answers.
    Answer { id: u32, more: bool, fields: Fields<'a> },
}

/// Reads a message.
///
/// # Errors
/// `protocol_error` that quotes its beginning.
pub(super) fn read(line: &[u8]) -> Result<Message<'_>, Error> {
    let text = std::str::from_utf8(line).map_err(|_| breach("it is not UTF-8", line))?;
    parse(text).map_err(|why| breach(&why, line))
}

/// The error for a message that breaks the protocol.
pub(super) fn breach(why: &str, line: &[u8]) -> Error {
    let message = format!("a message of the plugin cannot be read: {why} (it begins with \"{}\")", quote(line));
    Error::new(Code::ProtocolError, message).remedy(
        "stdout carries messages only, one JSON object per line; print everything else to stderr. See contract/text.md",
    )
}

/// The beginning of a message, escaped for people.
pub(super) fn quote(line: &[u8]) -> String {
    const SHOWN: usize = 80;
    let dots = if line.len() > SHOWN { "…" } else { "" };
    format!("{}{dots}", line.get(..SHOWN).unwrap_or(line).escape_ascii())
}

fn parse(text: &str) -> Result<Message<'_>, String> {
    let fields = Fields::of(text)?;
    let id = fields.get("id").filter(|id| *id != "null");
    if let Some(id) = id
        && (id.len() > ID || !is_id(id))
    {
        return Err("its `id` is neither a short string nor a whole number".to_owned());
    }
    if let Some(method) = fields.read::<String>("method")? {
        let params = match fields.get("params") {
            None | Some("null") => Fields::default(),
            Some(params) => Fields::of(params).map_err(|why| format!("`params`: {why}"))?,
        };
        return Ok(Message::Request { id, method, params });
    }
    let answers = ["result", "text", "base64", "error", "more"].iter().any(|field| fields.get(field).is_some());
    match id {
        Some(id) if answers => {
            let more = fields.read("more")?.unwrap_or(false);
            // Ids that the host never gave are answers that nobody waits for.
            let id = id.trim_matches('"').parse().unwrap_or(0);
            Ok(Message::Answer { id, more, fields })
        }
        _ => Err("it is neither a request (`method`) nor an answer (`id` and `result`)".to_owned()),
    }
}

fn is_id(json: &str) -> bool {
    serde_json::from_str::<&str>(json).is_ok()
        || serde_json::from_str::<String>(json).is_ok()
        || serde_json::from_str::<i64>(json).is_ok()
        || serde_json::from_str::<u64>(json).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let Message::Request { id, method, params } = read(br#"{"id":"a","method":"m","params":{"x":1}}"#).unwrap()
        else {
            panic!("a request");
        };
        assert_eq!((id, method.as_str(), params.get("x")), (Some("\"a\""), "m", Some("1")));
        assert!(matches!(read(br#"{"method":"m"}"#).unwrap(), Message::Request { id: None, .. }));
        assert!(matches!(read(br#"{"id":"7","result":1}"#).unwrap(), Message::Answer { id: 7, more: false, .. }));
        assert!(matches!(
            read(br#"{"id":7,"text":"","more":true}"#).unwrap(),
            Message::Answer { id: 7, more: true, .. }
        ));
        assert!(matches!(read(br#"{"id":"mine","result":1}"#).unwrap(), Message::Answer { id: 0, .. }));
    }

    #[test]
    fn a_breach_quotes_what_was_seen() {
        let long = format!("{{\"id\":\"{}\",\"result\":1}}", "x".repeat(65));
        for bad in
            ["hello", "{}", "[1]", r#"{"id":7}"#, r#"{"result":1}"#, r#"{"id":{},"result":1}"#, "{\"method\":5}", &long]
        {
            let error = read(bad.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::ProtocolError, "{bad}");
        }
        assert!(read(b"\x1b[31mhello").unwrap_err().record().message.contains(r"\x1b[31mhello"));
        assert!(read(b"{\"a\xff\":1}").unwrap_err().record().message.contains("UTF-8"));
    }
}
