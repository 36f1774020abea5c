//! Texts with units to numbers, where the schema wants a number: `{type: integer, format: duration}` and `30s` make
//! 30000.

use midplane_contract::manifest::{parse_duration, parse_size};
use serde_json::{Map, Number, Value};

use super::cost::resolve;

/// Levels that are looked at.
const DEPTH: usize = 64;

/// What a unit means in a number.
#[derive(Clone, Copy)]
enum Unit {
    /// `duration`: milliseconds.
    Duration,
    /// `size`: bytes. `rate`: bytes per second.
    Size,
    /// `frame-rate`: frames per second.
    FrameRate,
}

/// Puts numbers in place of texts with units, wherever the schema wants a number and its `format` says which. A text that
/// has no such unit stays, for the schema to refuse.
pub(super) fn apply(schema: &Value, config: &mut Value) {
    visit(schema, schema, config, 0);
}

fn visit(root: &Value, schema: &Value, value: &mut Value, depth: usize) {
    let Some(rules) = schema.as_object().filter(|_| depth < DEPTH) else { return };
    if let (Some(unit), Value::String(text)) = (unit(rules), &*value) {
        if let Some(number) = number(unit, text) {
            *value = Value::Number(number);
        }
        return;
    }
    match value {
        Value::Object(map) => {
            for (name, rule) in rules.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if let Some(value) = map.get_mut(name) {
                    visit(root, rule, value, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            if let Some(rule) = rules.get("items") {
                items.iter_mut().for_each(|item| visit(root, rule, item, depth + 1));
            }
        }
        _ => {}
    }
    let reference = rules.get("$ref").and_then(Value::as_str).and_then(|reference| resolve(root, reference));
    let parts = rules.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in reference.into_iter().chain(parts) {
        visit(root, part, value, depth + 1);
    }
}

/// The unit of a schema that wants numbers only, or nothing.
fn unit(rules: &Map<String, Value>) -> Option<Unit> {
    let is_number = |kind: &Value| kind == "integer" || kind == "number";
    let wants_numbers = match rules.get("type")? {
        Value::Array(kinds) => {
            kinds.iter().any(is_number) && kinds.iter().all(|kind| is_number(kind) || kind == "null")
        }
        kind => is_number(kind),
    };
    if !wants_numbers {
        return None;
    }
    Some(match rules.get("format")?.as_str()? {
        "duration" => Unit::Duration,
        "size" | "rate" => Unit::Size,
        "frame-rate" => Unit::FrameRate,
        _ => return None,
    })
}

/// How a value is written whose type is at fault, where the schema says that it has a unit.
pub(super) fn wanted(schema: &Value, error: &super::Fault<'_>) -> Option<&'static str> {
    let rules = schema.pointer(error.schema_path().as_str().strip_suffix("/type")?)?;
    Some(match unit(rules.as_object()?)? {
        Unit::Duration => "a number of milliseconds, or one with its unit: `500ms`, `30s`, `5m`, `1h`",
        Unit::Size => "a number of bytes, or one with its unit: `100MB`, `64MiB`, `100MB/s`",
        Unit::FrameRate => "a number, or one with its unit: `60fps`",
    })
}

fn number(unit: Unit, text: &str) -> Option<Number> {
    match unit {
        Unit::Duration => {
            let time = parse_duration(text)?;
            let whole = time.subsec_nanos().is_multiple_of(1_000_000);
            let millis = u64::try_from(time.as_millis()).ok()?;
            if whole { Some(millis.into()) } else { Number::from_f64(time.as_secs_f64() * 1e3) }
        }
        Unit::Size => parse_size(text).map(Number::from),
        Unit::FrameRate => {
            let rate: f64 = text.strip_suffix("fps")?.trim_end().parse().ok().filter(|rate: &f64| *rate >= 0.0)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and below 2⁵³")]
            match rate.fract() == 0.0 && rate < 9e15 {
                true => Some(Number::from(rate as u64)),
                false => Number::from_f64(rate),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_is_made_where_the_schema_wants_one() {
        let schema = json!({"properties": {
            "timeout": {"type": "integer", "format": "duration"}, "text": {"type": "string", "format": "duration"},
            "cache": {"type": "number", "format": "size"}, "speed": {"$ref": "#/$defs/rate"},
            "refresh": {"type": "integer", "format": "frame-rate"},
            "list": {"items": {"properties": {"ttl": {"type": "integer", "format": "duration"}}}},
            "wrong": {"type": "integer", "format": "duration"}, "free": {},
            "perhaps": {"type": ["integer", "null"], "format": "duration"}, "either": {"type": ["integer", "string"], "format": "size"},
        }, "$defs": {"rate": {"type": "integer", "format": "rate"}}});
        let mut config = json!({"timeout": "30s", "text": "1h", "cache": "100MB", "speed": "100MB/s", "refresh": "60fps",
            "list": [{"ttl": "24h"}, {"ttl": 5}], "wrong": "soon", "free": "30s", "perhaps": "5s", "either": "5MB"});
        apply(&schema, &mut config);
        assert_eq!(
            config,
            json!({"timeout": 30_000, "text": "1h", "cache": 100_000_000, "speed": 100_000_000, "refresh": 60,
                "list": [{"ttl": 86_400_000}, {"ttl": 5}], "wrong": "soon", "free": "30s", "perhaps": 5000, "either": "5MB"})
        );
    }
}
