//! The JSON that frames carry. Unknown fields are ignored everywhere, so that either side may be newer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ActionName, Code, Error, Instances, Limits, Manifest, PluginId, PluginInfo, Result, RuntimeKind, Trust, defaults,
};

use super::{PROTOCOL, WINDOW};

/// `HELLO`: sent by both sides at once, before anything else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Versions of the protocol that the sender speaks; both use the highest common one.
    pub versions: Vec<u16>,
    /// What the sender can do beyond that; unknown names mean nothing.
    #[serde(default)]
    pub features: Vec<String>,
    /// What the sender accepts.
    #[serde(default)]
    pub limits: PeerLimits,
    /// The sender's name and version, for messages.
    #[serde(default)]
    pub peer: String,
}

/// What one side accepts from the other. Absent fields mean the contract's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerLimits {
    /// Payload bytes in one frame, 1,024 to 262,144.
    pub chunk: usize,
    /// Payload bytes in one message.
    pub payload: usize,
    /// Payload bytes of one message before the first `CREDIT`, at least `chunk`.
    pub window: usize,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self { chunk: defaults::WIRE_CHUNK, payload: defaults::PAYLOAD_CAP, window: WINDOW }
    }
}

impl Hello {
    /// This side's greeting.
    #[must_use]
    pub fn ours(peer: impl Into<String>) -> Self {
        Self {
            versions: vec![PROTOCOL],
            features: ["stream", "cancel", "host"].map(str::to_owned).to_vec(),
            limits: PeerLimits::default(),
            peer: peer.into(),
        }
    }

    /// Reads the other side's greeting, and what may be sent to it: its limits, where they are below the contract's.
    ///
    /// # Errors
    /// `protocol_error` when it is no greeting, shares no version or states limits nobody can work with.
    pub fn accept(json: &[u8]) -> Result<(Self, PeerLimits)> {
        let hello: Self = parse("HELLO", json)?;
        if !hello.versions.contains(&PROTOCOL) {
            let message = format!("the peer speaks protocol {:?}, this side {PROTOCOL}", hello.versions);
            return Err(Error::new(Code::ProtocolError, message).remedy("use versions of host and plugin that fit"));
        }
        let (ours, theirs) = (PeerLimits::default(), hello.limits);
        if theirs.chunk < 1024 || theirs.window < theirs.chunk {
            let message = format!("the peer accepts chunks of {} in a window of {}", theirs.chunk, theirs.window);
            return Err(Error::new(Code::ProtocolError, message)
                .remedy("a chunk has at least 1024 bytes, and a window holds at least one"));
        }
        let limits = PeerLimits {
            chunk: theirs.chunk.min(ours.chunk),
            payload: theirs.payload.min(ours.payload),
            window: theirs.window.min(64 * ours.window),
        };
        Ok((hello, limits))
    }
}

/// `LOAD`: everything decided about the plugin that this peer is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Load {
    /// The plugin's manifest in the one model of `contract/manifest.schema.json`.
    pub manifest: Manifest,
    /// What runs it.
    pub runtime: RuntimeKind,
    /// The plugin's folder, absolute.
    pub folder: PathBuf,
    /// Its code, absolute.
    pub main: PathBuf,
    /// The generation that this will be.
    pub generation: u64,
    /// How far it is trusted.
    pub trust: Trust,
    /// The limits in effect.
    pub limits: Limits,
    /// How many instances there can be.
    pub instances: Instances,
    /// A folder for copies and compiled code.
    pub cache: PathBuf,
}

/// The answer to `LOAD`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Loaded {
    /// What the code says of itself.
    pub info: PluginInfo,
    /// The actions it answers; `CALL` names them by their position here.
    pub actions: Vec<ActionName>,
    /// The names of the hooks it has; unknown ones are ignored.
    pub hooks: Vec<String>,
    /// Identity of the code that was loaded.
    pub build_id: String,
    /// Why the code cannot leave memory, if it cannot.
    pub stays_loaded: Option<String>,
    /// Anything worth showing.
    pub details: Map<String, Value>,
}

/// `OPEN`: the instance's identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Open {
    /// The plugin.
    pub plugin: PluginId,
    /// Its version, as text.
    pub version: String,
    /// Its generation.
    pub generation: u64,
}

/// The header of `CALL` and `HOOK`. A call of the host itself without a trace has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Who waits for this call, innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caller: Vec<Link>,
    /// W3C `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// One link of the caller chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The waiting plugin.
    pub plugin: PluginId,
    /// The action it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionName>,
}

/// An error as a peer may write it: `code` and `message` are enough, the rest of the record is taken as it comes.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    remedy: Option<String>,
    recoverable: Option<bool>,
    #[serde(default)]
    data: Map<String, Value>,
}

/// Reads the error record of an `ERROR` frame. A code that the contract does not know becomes `plugin_error` and is
/// kept in `data.code`.
///
/// # Errors
/// `protocol_error` when it is no JSON object of that shape.
pub fn read_error(json: &[u8]) -> Result<Error> {
    if let Ok(whole) = serde_json::from_slice::<Error>(json) {
        return Ok(whole);
    }
    let told: Told = parse("ERROR", json)?;
    let code = Code::from_name(&told.code);
    let mut error = Error::new(code.unwrap_or(Code::PluginError), told.message);
    if code.is_none() && !told.code.is_empty() {
        error = error.with("code", told.code);
    }
    for (key, value) in told.data {
        error = error.with(&key, value);
    }
    if let Some(remedy) = told.remedy {
        error = error.remedy(remedy);
    }
    Ok(match told.recoverable {
        Some(recoverable) => error.recoverable(recoverable),
        None => error,
    })
}

/// Writes an error record so that it fits a chunk: `data` goes when it is too large, then the text is cut.
#[must_use]
pub fn write_error(error: &Error, cap: usize) -> Vec<u8> {
    let whole = serde_json::to_vec(error).unwrap_or_default();
    if !whole.is_empty() && whole.len() <= cap {
        return whole;
    }
    let text: String = error.record().message.chars().take(cap / 16).collect();
    let shorter = Error::new(error.code(), text).with("shortened", true).recoverable(error.record().recoverable);
    serde_json::to_vec(&shorter).unwrap_or_default()
}

/// Reads the JSON of a frame.
///
/// # Errors
/// `protocol_error` that names the frame, quotes its beginning and says what JSON finds wrong.
pub fn parse<'a, T: Deserialize<'a>>(frame: &str, json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|fault| {
        let message =
            format!("the JSON of a {frame} frame cannot be read: {fault} (it begins with \"{}\")", super::quote(json));
        Error::new(Code::ProtocolError, message).remedy("see contract/wire.md for the fields of each frame")
    })
}
