//! Defaults of a schema into a configuration.

use midplane_contract::{Code, Error, Result};
use serde_json::{Map, Value};

use super::CONFIG_SIZE;
use super::cost::resolve;

/// Levels that are filled at most.
const DEPTH: usize = 64;
/// Parts of schemas that are looked at at most; defaults may hold what further defaults go into.
const STEPS: usize = 200_000;

/// Sets what is not set to the schema's `default`. Where several parts of a schema give one, the first wins.
///
/// # Errors
/// `manifest_invalid` when the defaults never end or are larger than a configuration may be.
pub(super) fn defaults(schema: &Value, config: &mut Value) -> Result<()> {
    let mut filling = Filling { root: schema, steps: STEPS, bytes: CONFIG_SIZE };
    filling.fill(schema, config, 0).ok_or_else(|| {
        Error::new(Code::ManifestInvalid, "config_schema cannot be used: its defaults multiply without end")
            .remedy("the plugin's author has to simplify the defaults")
    })
}

/// `None` from its functions means that a bound is reached.
struct Filling<'a> {
    root: &'a Value,
    steps: usize,
    bytes: usize,
}

impl<'a> Filling<'a> {
    fn fill(&mut self, schema: &'a Value, value: &mut Value, depth: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        let Some(rules) = schema.as_object() else { return Some(()) };
        if depth > DEPTH {
            return None;
        }
        match value {
            Value::Object(map) => self.properties(rules, map, depth)?,
            Value::Array(items) => {
                for item in items.iter_mut() {
                    rules.get("items").map_or(Some(()), |rule| self.fill(rule, item, depth + 1))?;
                }
            }
            _ => {}
        }
        let reference = rules.get("$ref").and_then(Value::as_str);
        let part = reference.and_then(|reference| resolve(self.root, reference));
        part.map_or(Some(()), |part| self.fill(part, value, depth + 1))?;
        let parts = rules.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in parts {
            self.fill(part, value, depth + 1)?;
        }
        Some(())
    }

    fn properties(&mut self, rules: &'a Map<String, Value>, map: &mut Map<String, Value>, depth: usize) -> Option<()> {
        for (name, rule) in rules.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !map.contains_key(name)
                && let Some(default) = self.default_of(rule)
            {
                let size = serde_json::to_vec(default).map_or(usize::MAX, |json| json.len());
                self.bytes = self.bytes.checked_sub(size)?;
                map.insert(name.clone(), default.clone());
            }
            if let Some(value) = map.get_mut(name) {
                self.fill(rule, value, depth + 1)?;
            }
        }
        Some(())
    }

    /// The default of a rule, or of what it refers to.
    fn default_of(&self, rule: &'a Value) -> Option<&'a Value> {
        let mut rule = rule;
        for _ in 0..DEPTH {
            if let Some(default) = rule.get("default") {
                return Some(default);
            }
            rule = resolve(self.root, rule.get("$ref")?.as_str()?)?;
        }
        None
    }
}
