//! A plugin's effective configuration: what the manifest brings, what the operator sets over it, and the defaults of
//! the schema, checked against the schema.

mod cost;
mod fill;
mod store;
mod units;

use jsonschema::ValidationError as Fault;
use midplane_contract::{Code, Error, Result};
use serde_json::{Map, Value, json};

pub use store::{Changed, ConfigStore, DatabaseStore, FileStore, News, from_json, no_configuration, to_json};

/// Largest configuration, as JSON in bytes.
pub const CONFIG_SIZE: usize = 1024 * 1024;
/// Faults told of one configuration at most.
const FAULTS: usize = 100;
/// Steps back that a regular expression of a schema may take on one text.
const BACKTRACKS: usize = 20_000;

/// The configuration that reaches the plugin: the manifest's values, the operator's over them (maps are merged, all
/// else is replaced), and where nothing is set the schema's `default`.
///
/// Defaults are filled in where the map that holds them is there, through `properties`, `items`, `allOf` and local
/// `$ref`s. Where the schema wants a number and its `format` is `duration`, `size`, `rate` or `frame-rate`, a text with a
/// unit becomes one: milliseconds, bytes, bytes per second, frames per second. The result is checked against the schema, all faults at once; formats are not checked. Time is bounded:
/// a schema that would take more than 200,000 steps is refused, and none is fetched from anywhere.
///
/// # Errors
/// `config_invalid` with `data.faults`, a list of `{path, message, rule}` with JSON pointers into configuration and
/// schema. Values are not quoted, since configurations hold secrets. `manifest_invalid` when the schema is at fault.
pub fn effective(
    schema: Option<&Value>,
    manifest: &Map<String, Value>,
    operator: &Map<String, Value>,
) -> Result<Map<String, Value>> {
    let mut config = Value::Object(manifest.clone());
    merge(&mut config, &Value::Object(operator.clone()));
    if let Some(schema) = schema {
        cost::check(schema, &config)?;
        fill::defaults(schema, &mut config)?;
        units::apply(schema, &mut config);
        // Defaults are values too, and the schema looks at them as well.
        cost::check(schema, &config)?;
        validate(schema, &config)?;
    }
    let size = serde_json::to_vec(&config).map_or(usize::MAX, |json| json.len());
    match config {
        Value::Object(map) if size <= CONFIG_SIZE => Ok(map),
        _ => Err(Error::new(Code::ConfigInvalid, format!("the configuration has more than {CONFIG_SIZE} bytes"))
            .remedy("put large data into files, and their paths into the configuration")),
    }
}

/// Whether a text is a JSON Schema that configurations can be checked against.
///
/// # Errors
/// `manifest_invalid`, saying what is wrong with it.
pub fn check_schema(schema: &Value) -> Result<()> {
    cost::check(schema, &Value::Null)?;
    compile(schema).map(drop)
}

/// Puts `over` over `base`. Recursion is bounded by the depth of parsed JSON.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn compile(schema: &Value) -> Result<jsonschema::Validator> {
    jsonschema::options()
        .offline()
        .with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
        .build(schema)
        .map_err(|error| bad_schema(error.instance_path().as_str(), &shorten(&error.to_string())))
}

fn bad_schema(path: &str, why: &str) -> Error {
    Error::new(Code::ManifestInvalid, format!("config_schema{path} is not a JSON Schema that can be used: {why}"))
        .remedy("correct the schema; the plugin's author can try it with `midplane check`")
        .with("faults", json!([{"code": "invalid_schema", "path": format!("/config_schema{path}"), "message": why}]))
}

/// Where a value does not fit a schema, a line each; empty where it fits.
///
/// # Errors
/// `manifest_invalid` when the schema is at fault.
pub(crate) fn misfits(schema: &Value, value: &Value) -> Result<Vec<String>> {
    cost::check(schema, value)?;
    faults(schema, value, |_| None).map(|faults| faults.iter().map(line).collect())
}

/// `how` says how a value at fault is written, where that is known.
fn faults(schema: &Value, value: &Value, how: impl Fn(&Fault<'_>) -> Option<&'static str>) -> Result<Vec<Value>> {
    let validator = compile(schema)?;
    Ok(validator.iter_errors(value).take(FAULTS).map(|error| fault(&error, how(&error))).collect())
}

fn validate(schema: &Value, config: &Value) -> Result<()> {
    let faults = faults(schema, config, |fault| units::wanted(schema, fault))?;
    if faults.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = faults.iter().map(line).collect();
    let message = match lines.as_slice() {
        [one] => format!("the configuration does not fit the plugin's schema: {one}"),
        many => {
            format!("the configuration does not fit the plugin's schema in {} places:\n{}", many.len(), many.join("\n"))
        }
    };
    Err(Error::new(Code::ConfigInvalid, message)
        .remedy("correct the values named; `midplane inspect` shows the schema")
        .with("faults", faults))
}

/// The path, and the rule without the value that broke it.
fn fault(error: &Fault<'_>, how: Option<&str>) -> Value {
    let told = shorten(&error.masked_with("the value").to_string());
    json!({
        "path": error.instance_path().as_str(),
        "message": how.map_or(told.clone(), |how| format!("{told}; write {how}")),
        "rule": error.schema_path().as_str(),
    })
}

fn line(fault: &Value) -> String {
    let text = |key: &str| fault.get(key).and_then(Value::as_str).unwrap_or_default();
    let path = if text("path").is_empty() { "/" } else { text("path") };
    format!("{path}: {}", text("message"))
}

fn shorten(text: &str) -> String {
    if text.len() <= 400 { text.to_owned() } else { text.chars().take(360).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests;
