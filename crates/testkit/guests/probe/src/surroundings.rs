//! Actions that show what surrounds the probe.

use std::collections::BTreeMap;

use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::Probe;

/// Input of `print`.
#[derive(Debug, Deserialize)]
struct Print {
    /// `stdout` or `stderr`.
    stream: String,
    text: String,
}

pub(crate) fn define(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .action("process", |_, (), _| Ok(Json(json!({ "pid": process_id() }))))
        .describe("{pid} of the process that this runs in; null in WebAssembly")
        .action("environment", |_, (), _| Ok(Json(environment())))
        .describe("The environment's variables")
        .action("print", |_, Json(print): Json<Print>, _| match print.stream.as_str() {
            "stdout" => {
                println!("{}", print.text);
                Ok(())
            }
            "stderr" => {
                eprintln!("{}", print.text);
                Ok(())
            }
            other => Err(Error::invalid_input(format!("{other} is no stream"))),
        })
        .describe("{stream, text}: writes a line to standard output or error")
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::unnecessary_wraps, reason = "WebAssembly builds have none")]
fn process_id() -> Option<u32> {
    Some(std::process::id())
}

#[cfg(target_family = "wasm")]
fn process_id() -> Option<u32> {
    None
}

/// Names and values that are not UTF-8 are shown with replacement characters.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// There is none, and asking for it panics.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn environment() -> BTreeMap<String, String> {
    BTreeMap::new()
}
