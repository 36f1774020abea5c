//! The action that plays a script of host calls and writes down what the host answers.

use std::fmt::Write as _;

use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::Probe;

/// One step of the script.
#[derive(Debug, Deserialize)]
struct Step {
    function: String,
    args: Value,
    /// Bytes, as hexadecimal digits.
    #[serde(default)]
    payload: String,
}

pub(crate) fn define(definition: Definition<Probe>) -> Definition<Probe> {
    definition.action("transcript", |_, Json(script): Json<Vec<Step>>, context| play(&script, context)).describe(
        "[{function, args, payload?}], payloads in hexadecimal: asks the host for one after the other and answers \
             with a line for each, `ok REPLY` or `error CODE MESSAGE`, reply and message in hexadecimal",
    )
}

fn play(script: &[Step], context: &Context<'_>) -> Result<String> {
    let mut lines = Vec::with_capacity(script.len());
    for Step { function, args, payload } in script {
        lines.push(match context.host(function, args, &bytes(payload)?) {
            Ok(reply) => format!("ok {}", hexadecimal(&reply)),
            Err(error) => format!("error {} {}", error.code, hexadecimal(error.message.as_bytes())),
        });
    }
    Ok(lines.join("\n"))
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2).unwrap_or_default(), 16);
    Ok((0..digits.len()).step_by(2).map(byte).collect::<std::result::Result<_, _>>()?)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
