//! How a call or hook ended, in the contract's terms.

use midplane_contract::{Code, Error, Result};
use serde_json::{Map, Value};

use crate::abi;
use crate::host::Frame;

/// What a plugin said of its own failure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PluginError {
    code: String,
    message: String,
    recoverable: bool,
    data: Value,
}

impl PluginError {
    /// Reads the parts; `data` that is no JSON is kept as text.
    pub(crate) fn read(code: &[u8], message: &[u8], recoverable: bool, data: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let data = match data {
            [] => Value::Null,
            data => serde_json::from_slice(data).unwrap_or_else(|_| Value::String(text(data))),
        };
        Self { code: text(code), message: text(message), recoverable, data }
    }

    /// The record with the plugin's own error whole in its data.
    fn record(self, code: Code) -> Error {
        let mut whole = Map::new();
        whole.insert("code".to_owned(), self.code.into());
        whole.insert("message".to_owned(), self.message.clone().into());
        whole.insert("recoverable".to_owned(), self.recoverable.into());
        if !self.data.is_null() {
            whole.insert("data".to_owned(), self.data);
        }
        let error = Error::new(code, self.message);
        let error = if code == Code::PluginError { error.recoverable(self.recoverable) } else { error };
        whole.into_iter().fold(error, |error, (key, value)| error.with(&key, value))
    }
}

/// The outcome of a status. Whoever gets an error with [`spends`] makes another instance.
#[inline]
pub(crate) fn of(status: i32, frame: &mut Frame<'_, '_>) -> Result<()> {
    if status == abi::OK && frame.refused.is_none() { Ok(()) } else { Err(failure(status, frame)) }
}

#[cold]
fn failure(status: i32, frame: &mut Frame<'_, '_>) -> Error {
    let said = frame.said.take();
    match status {
        abi::PANICKED => said.map_or_else(
            || Error::new(Code::Panicked, "the plugin's code panicked and said nothing"),
            |said| said.record(Code::Panicked),
        ),
        abi::OK | abi::ERROR => frame.refused.take().unwrap_or_else(|| {
            said.map_or_else(
                || Error::new(Code::PluginError, "the plugin failed and said nothing"),
                |said| said.record(Code::PluginError),
            )
        }),
        other => Error::new(Code::ProtocolError, format!("the plugin returned the status {other}, which there is not"))
            .remedy("return MIDPLANE_OK, MIDPLANE_ERROR or MIDPLANE_PANICKED"),
    }
}

/// Whether an instance that failed this way is of no use any longer.
pub(crate) fn spends(error: &Error) -> bool {
    matches!(error.code(), Code::Panicked)
}

/// At most `cap` bytes; none at a null pointer.
///
/// # Safety
/// `data` is null or valid for `len` bytes for as long as the result is used.
pub(crate) unsafe fn clipped<'a>(data: *const u8, len: usize, cap: usize) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: as this function demands.
    unsafe { abi::bytes(data, len.min(cap)) }
}
