//! The JSON Schema of settings, for editors.

use serde_json::{Map, Value, json};

use super::fields::FILE;
use crate::reading::schema;

/// The JSON Schema (draft 2020-12) of `midplane.yaml`, for editors. Rules between fields are not in it.
#[must_use]
pub fn json_schema() -> Value {
    let mut document = schema::document("Midplane settings", "midplane.yaml: the settings of a Midplane host", FILE);
    allow_variables(&mut document);
    if let Value::Object(map) = &mut document {
        let about = "A text with a variable in it: ${NAME} or ${NAME:-default}";
        let variable = json!({"type": "string", "pattern": "\\$\\{", "description": about});
        map.insert("$defs".to_owned(), json!({ "variable": variable }));
    }
    document
}

/// A text with a variable in it, `${NAME}`, may stand wherever a single value does.
fn allow_variables(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let mut inner = false;
    if let Some(Value::Object(fields)) = map.get_mut("properties") {
        fields.values_mut().for_each(allow_variables);
        inner = true;
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below @ Value::Object(_)) = map.get_mut(key) {
            allow_variables(below);
            inner = true;
        }
    }
    if inner || takes_variables(map) {
        return;
    }
    let variable = json!({"$ref": "#/$defs/variable"});
    if let Some(Value::Array(shapes)) = map.get_mut("anyOf") {
        return shapes.push(variable);
    }
    let description = map.remove("description");
    let plain = Value::Object(std::mem::take(map));
    *map = Map::from_iter([("anyOf".to_owned(), json!([plain, variable]))]);
    map.extend(description.map(|text| ("description".to_owned(), text)));
}

/// Any text is right here, or none: a map that is free.
fn takes_variables(schema: &Map<String, Value>) -> bool {
    let is = |kind: &str| schema.get("type").is_some_and(|it| *it == json!(kind) || *it == json!([kind, "null"]));
    is("object") || (is("string") && !schema.contains_key("pattern"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Layer, settle};

    #[test]
    fn the_committed_schema_is_current() {
        let committed: Value = serde_json::from_str(include_str!("../../../../contract/settings.schema.json")).unwrap();
        assert!(committed == json_schema(), "run `cargo xtask generate`");
    }

    /// Whether editors and hosts take the same for settings.
    fn agree(text: &str) -> bool {
        let validator = jsonschema::validator_for(&json_schema()).unwrap();
        let variables = [("N", "3"), ("ON", "true"), ("SIZE", "5MB"), ("WHERE", "./p"), ("HOW", "latest")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let read = settle([Layer::file("m.json", text.as_bytes(), &variables)]).settings.is_some();
        assert_eq!(validator.is_valid(&serde_json::from_str(text).unwrap()), read, "{text}");
        read
    }

    #[test]
    fn editors_take_what_hosts_take_variables_among_it() {
        for good in [
            r#"{"load": {"auto": "${ON}", "concurrent": "${N}", "timeout": "${T:-30s}"}, "folders": ["${WHERE}"]}"#,
            r#"{"limits": {"memory": "${SIZE}", "cpu": "${C:-0.5}"}, "versions": {"strategy": "${HOW}"}}"#,
            r#"{"plugins": {"a": {"trust": "${T:-normal}", "priority": "${N}", "config": {"n": [1, {"b": null}]}}}}"#,
            r#"{"module_manager": {"module_dirs": ["./m"], "scan_interval": 60, "module_timeout": "${T:-60s}"}}"#,
            r#"{"secrets": {"a": "env:A"}, "store": {"kind": "file", "path": "${WHERE}"}, "load": null}"#,
        ] {
            assert!(agree(good), "{good}");
        }
        for bad in [
            r#"{"load": {"auto": "yes"}}"#,
            r#"{"load": {"concurrent": "3"}}"#,
            r#"{"limits": {"memory": "much"}}"#,
            r#"{"loda": {}}"#,
            r#"{"folders": "${WHERE}"}"#,
            r#"{"plugins": "${N}"}"#,
        ] {
            assert!(!agree(bad), "{bad}");
        }
    }
}
