//! Requests and answers of the text protocol.

use midplane_contract::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A request, as it comes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// What the answer is to be told apart by; a number, a text, or nothing.
    #[serde(default)]
    pub(crate) id: Value,
    /// What is asked.
    pub(crate) method: String,
    /// With what.
    #[serde(default)]
    pub(crate) params: Value,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// `invalid_input`.
    pub(crate) fn read(line: &[u8]) -> Result<Self> {
        serde_json::from_slice(line).map_err(|error| {
            Error::new(Code::InvalidInput, format!("the line is no request: {error}"))
                .remedy("write one JSON object per line: {\"id\": 1, \"method\": \"status\", \"params\": {}}")
        })
    }
}

/// An answer as a line, its end included.
pub(crate) fn answer(id: &Value, done: Result<Value>) -> Vec<u8> {
    let answer = match done {
        Ok(result) => json!({ "id": id, "result": result }),
        Err(error) => json!({ "id": id, "error": error }),
    };
    let mut line = answer.to_string().into_bytes();
    line.push(b'\n');
    line
}
