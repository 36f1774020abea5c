//! The shapes of `midplane:plugin/types`, as the host sees them.

use midplane_contract as contract;
use serde_json::{Map, Value};
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::fault::plugin_error;

/// `record error`.
#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Error {
    code: String,
    message: String,
    recoverable: bool,
    data: String,
}

impl From<contract::Error> for Error {
    fn from(error: contract::Error) -> Self {
        let record = error.record();
        let data = if record.data.is_empty() { String::new() } else { Value::Object(record.data.clone()).to_string() };
        Self {
            code: record.code.as_str().to_owned(),
            message: record.message.clone(),
            recoverable: record.recoverable,
            data,
        }
    }
}

impl From<Error> for contract::Error {
    fn from(error: Error) -> Self {
        let data: Map<String, Value> = serde_json::from_str(&error.data).unwrap_or_default();
        plugin_error(error.code, error.message, error.recoverable, data)
    }
}

/// `enum level`.
#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "guests make the values")]
pub(super) enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// `record description`.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Description {
    pub(super) info: String,
    pub(super) hooks: u32,
}
