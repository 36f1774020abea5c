//! The JSON Schema of manifests for editors, printed from the tables that validation uses.

use serde_json::{Value, json};

use super::fields::{ENVELOPED, FLAT};
use crate::reading::schema::object;

/// The JSON Schema (draft 2020-12) of all three spellings. It says a little less than [`super::parse`] checks: rules
/// between fields, and the finer rules of texts, are not in it.
#[must_use]
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Midplane plugin manifest",
        "description": "plugin.yaml, plugin.yml, plugin.json, module.yaml or manifest.json of a Midplane plugin",
        "if": {"anyOf": [
            {"required": ["api_version"]},
            {"required": ["kind"]},
            {"required": ["spec"]},
        ]},
        "then": {"$ref": "#/$defs/enveloped"},
        "else": {"$ref": "#/$defs/flat"},
        "$defs": {"flat": object(FLAT), "enveloped": object(ENVELOPED)},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_current() {
        let committed: Value = serde_json::from_str(include_str!("../../../../contract/manifest.schema.json")).unwrap();
        assert!(committed == json_schema(), "run `cargo xtask generate`");
    }
}
