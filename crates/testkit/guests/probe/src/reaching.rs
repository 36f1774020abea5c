//! Actions that ask the host for something.

use midplane_sdk::Level;
use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::Probe;

/// Input of `call`.
#[derive(Debug, Deserialize)]
struct Call {
    address: String,
    /// Text goes as its bytes, every other value as JSON.
    #[serde(default)]
    input: Value,
    deadline_ms: Option<u64>,
}

/// Input of `host`.
#[derive(Debug, Deserialize)]
struct Ask {
    function: String,
    #[serde(default = "nothing")]
    args: Value,
    #[serde(default)]
    payload: String,
}

/// Input of `log`.
#[derive(Debug, Deserialize)]
struct Line {
    level: String,
    message: String,
    #[serde(default = "nothing")]
    fields: Value,
}

fn nothing() -> Value {
    json!({})
}

pub(crate) fn define(definition: Definition<Probe>) -> Definition<Probe> {
    definition
        .action("call", |_, Json(call): Json<Call>, context| self::call(&call, context))
        .describe("{address, input?, deadline_ms?}: calls another plugin and answers with its reply, or its error")
        .action("host", |_, Json(ask): Json<Ask>, context| {
            context.host(&ask.function, &ask.args, ask.payload.as_bytes())
        })
        .describe("{function, args?, payload?}: asks the host and answers with what it says, or its error")
        .action("log", |_, Json(line): Json<Line>, context| {
            context.log(level(&line.level)?, &line.message, &line.fields);
            Ok(())
        })
        .describe("{level, message, fields?}: writes a line to the log")
}

fn call(call: &Call, context: &Context<'_>) -> Result<Vec<u8>> {
    let input = match &call.input {
        Value::String(text) => text.clone().into_bytes(),
        value => value.to_string().into_bytes(),
    };
    let mut args = json!({ "address": call.address });
    if let (Value::Object(args), Some(deadline)) = (&mut args, call.deadline_ms) {
        args.insert("deadline_ms".to_owned(), json!(deadline));
    }
    context.host("call", &args, &input)
}

fn level(name: &str) -> Result<Level> {
    Ok(match name {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        other => return Err(Error::invalid_input(format!("{other} is no level"))),
    })
}
