//! `metrics.*`: what a plugin measures.

use std::collections::BTreeMap;

use midplane_contract::{Code, Error, HostFunction, Result};
use serde_json::Value;

use super::{Binding, missing};
use crate::kernel::Inner;
use crate::metrics::Report;

impl Binding {
    /// Serves the functions of measuring.
    pub(super) fn measure(&self, kernel: &Inner, function: HostFunction, args: &Value) -> Result<Vec<u8>> {
        let name = args.get("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
        let value = match args.get("value") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_f64().ok_or_else(|| wrong(&format!("the value {value} is no number")))?),
        };
        let needed = || value.ok_or_else(|| wrong("the argument `value` is missing"));
        let report = match function {
            HostFunction::MetricsCount => Report::Count(value.unwrap_or(1.0)),
            HostFunction::MetricsGauge => Report::Gauge(needed()?),
            _ => Report::Observe(needed()?),
        };
        kernel.metrics.add(&self.plugin, name, labels(args)?, report).map(|()| Vec::new())
    }
}

/// Labels are text; numbers and truth values are taken as their text.
fn labels(args: &Value) -> Result<BTreeMap<String, String>> {
    let given = match args.get("labels") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(labels)) => labels,
        Some(_) => return Err(wrong("`labels` is no object")),
    };
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
        _ => Err(wrong(&format!("the label `{name}` is no text"))),
    };
    given.iter().map(one).collect()
}

fn wrong(why: &str) -> Error {
    Error::new(Code::InvalidInput, why)
}
