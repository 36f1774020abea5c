//! How much work a schema makes of a configuration, found out before any of it is done.
//!
//! Validation visits pairs of a subschema and a value. A few lines of `$ref`s can make their number exponential, or
//! endless. This walk visits the same pairs without looking at what they say, and stops at a budget.

use midplane_contract::{Code, Error, Result};
use serde_json::Value;

/// Pairs visited at most.
const STEPS: usize = 200_000;
/// Pairs inside one another at most; validation recurses as deep.
const DEPTH: usize = 192;

/// Applied to the same value, given as one schema.
const SAME_ONE: [&str; 4] = ["not", "if", "then", "else"];
/// Applied to the same value, given as a list of schemas.
const SAME_LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Applied to the same value, given as a map of schemas.
const SAME_MAP: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Applied to every child, given as one schema.
const EACH_ONE: [&str; 7] = [
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "items",
];

/// Whether checking this value with this schema stays within the budget, and the schema refers to itself only.
pub(super) fn check(schema: &Value, value: &Value) -> Result<()> {
    let mut walk = Walk { root: schema, steps: 0 };
    walk.visit(schema, Some(value), 0)
}

struct Walk<'a> {
    root: &'a Value,
    steps: usize,
}

impl<'a> Walk<'a> {
    /// `value` is `None` below what is there: subschemas are then still looked at once, for references that leave.
    fn visit(&mut self, schema: &'a Value, value: Option<&Value>, depth: usize) -> Result<()> {
        self.steps += 1;
        if self.steps > STEPS || depth > DEPTH {
            return Err(refuse("checking a configuration with it would take too long: its references multiply"));
        }
        let Some(map) = schema.as_object() else { return Ok(()) };
        if depth > 0 && (map.contains_key("$id") || map.get("id").is_some_and(Value::is_string)) {
            return Err(refuse("a part of it has an `$id` of its own, which is not supported"));
        }
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(reference) = map.get(key).and_then(Value::as_str) {
                let target = self.resolve(reference)?;
                // Without a value a reference is followed once at its own place, not from here.
                if value.is_some() {
                    self.visit(target, value, depth + 1)?;
                }
            }
        }
        for key in SAME_ONE {
            self.visit_one(map.get(key), value, depth)?;
        }
        for key in SAME_LIST {
            for schema in map.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.visit(schema, value, depth + 1)?;
            }
        }
        for key in SAME_MAP.into_iter().chain(["$defs", "definitions"]) {
            // Definitions are not applied, only looked at.
            let value = if key.ends_with("efs") || key == "definitions" { None } else { value };
            for schema in map.get(key).and_then(Value::as_object).into_iter().flat_map(|map| map.values()) {
                self.visit(schema, value, depth + 1)?;
            }
        }
        self.children(map, value, depth)
    }

    fn visit_one(&mut self, schema: Option<&'a Value>, value: Option<&Value>, depth: usize) -> Result<()> {
        schema.map_or(Ok(()), |schema| self.visit(schema, value, depth + 1))
    }

    fn children(&mut self, map: &'a serde_json::Map<String, Value>, value: Option<&Value>, depth: usize) -> Result<()> {
        for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.visit(schema, value.and_then(|value| value.get(name)), depth + 1)?;
        }
        for schema in map.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(|map| map.values()) {
            self.each(schema, value, depth)?;
        }
        for key in EACH_ONE {
            if let Some(schema) = map.get(key).filter(|schema| schema.is_object()) {
                self.each(schema, value, depth)?;
            }
        }
        for key in ["items", "prefixItems"] {
            for (at, schema) in map.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
                self.visit(schema, value.and_then(|value| value.get(at)), depth + 1)?;
            }
        }
        Ok(())
    }

    fn each(&mut self, schema: &'a Value, value: Option<&Value>, depth: usize) -> Result<()> {
        let children: Vec<&Value> = match value {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(Value::Object(map)) => map.values().collect(),
            _ => Vec::new(),
        };
        if children.is_empty() {
            return self.visit(schema, None, depth + 1);
        }
        children.into_iter().try_for_each(|child| self.visit(schema, Some(child), depth + 1))
    }

    fn resolve(&self, reference: &str) -> Result<&'a Value> {
        resolve(self.root, reference).ok_or_else(|| {
            let shown: String = reference.chars().take(100).collect();
            refuse(&format!("`{shown}` does not refer to a part of it by a pointer (`#/$defs/…`); nothing is fetched"))
        })
    }
}

/// The part that a local reference means.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.contains('%') {
        return None;
    }
    root.pointer(pointer)
}

fn refuse(why: &str) -> Error {
    Error::new(Code::ManifestInvalid, format!("config_schema cannot be used: {why}"))
        .remedy("the plugin's author has to simplify the schema")
        .with("faults", serde_json::json!([{"code": "invalid_schema", "path": "/config_schema", "message": why}]))
}
