//! The first message of a plugin, and the answer to it. See `contract/text.md`.

use midplane_contract::manifest::Entry;
use midplane_contract::version::parse_version;
use midplane_contract::{ActionSpec, Code, Error, Manifest, Permission, PluginId, Result, RuntimeKind, Version};
use midplane_runtime_wire::text::Registration;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::text;

/// How many permissions, capabilities and the like one registration may list.
const LISTED: usize = 1_000;

/// A request, as far as it concerns this crate.
#[derive(Debug, Deserialize)]
struct Request<'a> {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    method: String,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// What `register` says. Unknown fields are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    plugin_id: String,
    token: String,
    name: String,
    version: String,
    description: String,
    author: String,
    license: String,
    homepage: String,
    capabilities: Vec<String>,
    actions: Vec<ActionSpec>,
    permissions: Vec<String>,
    config_schema: Option<Value>,
    process_id: Option<u64>,
    protocol: Protocol,
}

/// What is spoken after the registration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// The text protocol, in text messages.
    #[default]
    Text,
    /// The wire protocol, in binary messages.
    Wire,
}

impl Protocol {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Wire => "wire",
        }
    }
}

/// A plugin that wants to come in.
#[derive(Debug)]
pub(crate) struct Register {
    pub(crate) token: String,
    pub(crate) manifest: Manifest,
    pub(crate) process_id: Option<u64>,
    pub(crate) protocol: Protocol,
    /// For the text protocol.
    pub(crate) registration: Registration,
}

/// Reads the first message: the id to answer to, and who wants to come in.
pub(crate) fn read(text: &str) -> (Value, Result<Register>) {
    let request: Request<'_> = match serde_json::from_str(text) {
        Ok(request) => request,
        Err(error) => {
            // What is quoted goes to logs; a token that was not used yet does not.
            let begins = shortened(text.split("token").next().unwrap_or_default());
            let message = format!("the first message is no `register`: {error} (it begins with {begins:?})");
            return (Value::Null, Err(Error::new(Code::ProtocolError, message).remedy("see contract/text.md")));
        }
    };
    let id = if request.id.is_string() || request.id.is_number() { request.id } else { Value::Null };
    if request.method != "register" {
        let message = format!("unknown method: {} (register first)", shortened(&request.method));
        return (
            id,
            Err(Error::new(Code::NotSupported, message).remedy("send `register` first; see contract/text.md")),
        );
    }
    (id, register(request.params.map_or("{}", RawValue::get)))
}

fn register(params: &str) -> Result<Register> {
    let read: Params = serde_json::from_str(params)
        .map_err(|error| invalid(&format!("`register`: {error}"), "see contract/text.md"))?;
    read.register(text::registration(params)?)
}

impl Params {
    fn register(self, registration: Registration) -> Result<Register> {
        if self.plugin_id.is_empty() {
            return Err(invalid("missing plugin_id", "say who the plugin is"));
        }
        let id =
            PluginId::new(&self.plugin_id).map_err(|error| invalid(&error.to_string(), "use another plugin_id"))?;
        let version = match self.version.as_str() {
            "" => Version::new(0, 0, 0),
            text => parse_version(text).map_err(|error| invalid(&error.to_string(), "write it as 1.2.3"))?,
        };
        if self.capabilities.len().max(self.actions.len()).max(self.permissions.len()) > LISTED {
            return Err(invalid(&format!("a list of more than {LISTED} entries"), "list fewer"));
        }
        let permissions: Result<Vec<Permission>, _> =
            self.permissions.iter().map(|permission| Permission::parse(permission)).collect();
        let entry = Entry { runtime: RuntimeKind::Remote, ..Entry::default() };
        let mut manifest = Manifest::minimal(id, version, entry);
        if !self.name.is_empty() {
            manifest.name = self.name;
        }
        let text = |text: String| (!text.is_empty()).then_some(text);
        manifest.description = text(self.description);
        manifest.author = text(self.author);
        manifest.license = text(self.license);
        manifest.homepage = text(self.homepage);
        manifest.capabilities = self.capabilities;
        manifest.actions = self.actions;
        manifest.permissions =
            permissions.map_err(|error| invalid(&error.to_string(), "see the permissions' grammar"))?;
        manifest.config_schema = self.config_schema;
        Ok(Register { token: self.token, manifest, process_id: self.process_id, protocol: self.protocol, registration })
    }
}

/// The answer to a registration. `renewal` is the token to come again with.
pub(crate) fn success(id: &Value, manifest: &Manifest, renewal: Option<&str>) -> String {
    let mut result = Map::new();
    result.insert("success".to_owned(), true.into());
    result.insert("message".to_owned(), "plugin registered successfully".into());
    result.insert("plugin_id".to_owned(), manifest.id.as_str().into());
    result.insert("version".to_owned(), manifest.version.to_string().into());
    result.insert("host".to_owned(), concat!("midplane ", env!("CARGO_PKG_VERSION")).into());
    if let Some(renewal) = renewal {
        result.insert("renewal".to_owned(), renewal.into());
    }
    json!({ "id": id, "result": result }).to_string()
}

/// The answer that refuses.
pub(crate) fn failure(id: &Value, error: &Error) -> String {
    let record = error.record();
    json!({ "id": id, "error": {
        "code": record.code.as_str(),
        "message": record.message,
        "data": record.data,
        "recoverable": record.recoverable,
        "remedy": record.remedy,
    }})
    .to_string()
}

fn invalid(message: &str, remedy: &str) -> Error {
    Error::new(Code::InvalidInput, message).remedy(remedy)
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Code, String) {
        let error = read(text).1.unwrap_err();
        (error.code(), error.record().message.clone())
    }

    #[test]
    fn a_registration_becomes_a_manifest() {
        let text = r#"{"id":"1","method":"register","params":{"plugin_id":"tab","name":"A tab","version":"v1.2.0",
            "capabilities":["measure"],"permissions":["plugin.call:x/*"],"token":"t","process_id":7,"new":1}}"#;
        let (id, register) = read(text);
        let register = register.unwrap();
        assert_eq!((id, register.token.as_str(), register.process_id), ("1".into(), "t", Some(7)));
        let manifest = register.manifest;
        assert_eq!((manifest.name.as_str(), manifest.version.to_string().as_str()), ("A tab", "1.2.0"));
        assert_eq!((manifest.capabilities, manifest.permissions.len()), (vec!["measure".to_owned()], 1));
        assert_eq!(register.protocol, Protocol::Text);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(refused(r#"{"method":"register"}"#), (Code::InvalidInput, "missing plugin_id".to_owned()));
        assert_eq!(refused(r#"{"method":"register","params":{"plugin_id":"A b"}}"#).0, Code::InvalidInput);
        assert_eq!(refused(r#"{"method":"register","params":{"plugin_id":"a","version":"x"}}"#).0, Code::InvalidInput);
        assert_eq!(refused(r#"{"id":1,"method":"play"}"#).1, "unknown method: play (register first)");
        let (code, message) = refused("hello");
        assert_eq!(code, Code::ProtocolError);
        assert!(message.contains("hello"), "{message}");
        let (_, message) = refused(r#"{"method":"register","params":{"token":"secret","plugin_id":}}"#);
        assert!(message.contains("params") && !message.contains("secret"), "{message}");
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(refused(&format!(r#"{{"id":{deep}}}"#)).0, Code::ProtocolError);
    }
}
