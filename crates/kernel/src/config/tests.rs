use midplane_contract::Code;
use serde_json::{Map, Value, json};

use super::{check_schema, effective};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn with(schema: &Value, manifest: Value, operator: Value) -> midplane_contract::Result<Map<String, Value>> {
    effective(Some(schema), &map(manifest), &map(operator))
}

#[test]
fn defaults_of_the_schema_reach_the_plugin() {
    let schema = json!({"type": "object", "properties": {
        "max_video_size": {"type": "integer", "default": 1_073_741_824},
        "supported_codecs": {"type": "array", "items": {"type": "string"}, "default": ["h264", "h265", "vp9"]},
        "server": {"type": "object", "default": {}, "properties": {"port": {"default": 80}}},
        "absent": {"type": "object", "properties": {"x": {"default": 1}}},
        "shared": {"$ref": "#/$defs/level"},
        "list": {"type": "array", "items": {"properties": {"on": {"default": true}}}},
    }, "$defs": {"level": {"type": "integer", "default": 3}}});
    let config = with(&schema, json!({"list": [{}, {"on": false}]}), json!({})).unwrap();
    assert_eq!(
        Value::Object(config),
        json!({
            "list": [{"on": true}, {"on": false}],
            "max_video_size": 1_073_741_824,
            "supported_codecs": ["h264", "h265", "vp9"],
            "server": {"port": 80},
            "shared": 3,
        })
    );
}

#[test]
fn the_operators_values_stand_over_those_of_the_manifest() {
    let manifest = json!({"a": 1, "deep": {"x": 1, "y": 2}, "list": [1, 2]});
    let operator = json!({"a": "changed", "deep": {"y": 3}, "list": [9], "more": null});
    let config = effective(None, &map(manifest), &map(operator)).unwrap();
    assert_eq!(Value::Object(config), json!({"a": "changed", "deep": {"x": 1, "y": 3}, "list": [9], "more": null}));
}

#[test]
fn all_faults_come_at_once_with_their_paths_and_without_the_values() {
    let schema = json!({"type": "object", "required": ["api_base_url"], "properties": {
        "timeout": {"type": "integer", "minimum": 1},
        "nested": {"properties": {"names": {"items": {"type": "string"}}}},
        "token": {"type": "string", "maxLength": 3},
    }, "additionalProperties": false});
    let config = json!({"timeout": 0, "nested": {"names": ["a", 7]}, "token": "secret-token", "colour": 1});
    let error = with(&schema, json!({}), config).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    let faults = error.record().data["faults"].as_array().unwrap();
    let mut paths: Vec<&str> = faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["", "", "/nested/names/1", "/timeout", "/token"]);
    let text = serde_json::to_string(&error).unwrap();
    assert!(text.contains("api_base_url") && text.contains("colour"));
    assert!(!text.contains("secret-token"));
}

#[test]
fn a_schema_that_is_none_is_the_manifests_fault() {
    for bad in [json!({"type": "strnig"}), json!({"properties": []}), json!({"pattern": "("}), json!({"minimum": "1"})]
    {
        assert_eq!(check_schema(&bad).unwrap_err().code(), Code::ManifestInvalid, "{bad}");
    }
    assert!(check_schema(&json!(true)).is_ok());
    assert!(check_schema(&json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"})).is_ok());
}

#[test]
fn nothing_is_fetched_for_a_schema() {
    for reference in ["https://example.org/s.json", "file:///etc/passwd", "other.json", "urn:x:y"] {
        let schema = json!({"properties": {"a": {"$ref": reference}}});
        let error = check_schema(&schema).unwrap_err();
        assert!(error.record().message.contains("nothing is fetched"), "{error}");
        assert!(with(&schema, json!({"a": 1}), json!({})).is_err());
    }
    assert!(check_schema(&json!({"$defs": {"a": {"items": {"$ref": "http://x.example/"}}}})).is_err());
}

#[test]
fn a_recursive_schema_is_used_and_an_endless_or_exploding_one_refused() {
    let tree = json!({"type": "object", "properties": {"child": {"$ref": "#"}, "n": {"type": "integer"}}});
    assert!(with(&tree, json!({"child": {"child": {"n": 1}}}), json!({})).is_ok());
    assert!(with(&tree, json!({"child": {"child": {"n": "x"}}}), json!({})).is_err());

    for endless in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]}), json!({"not": {"anyOf": [{"$ref": "#"}]}})]
    {
        assert!(with(&endless, json!({}), json!({})).is_err(), "{endless}");
    }
    let mut levels = Map::new();
    for level in 0..40 {
        let next = format!("#/$defs/l{}", level + 1);
        levels.insert(format!("l{level}"), json!({"allOf": [{"$ref": next}, {"$ref": next}]}));
    }
    levels.insert("l40".into(), json!({}));
    let bomb = json!({"$ref": "#/$defs/l0", "$defs": levels});
    assert_eq!(with(&bomb, json!({}), json!({})).unwrap_err().code(), Code::ManifestInvalid);

    let fork = json!({"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]});
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({ "a": deep });
    }
    assert!(with(&fork, deep, json!({})).is_err());
}

#[test]
fn defaults_that_hold_defaults_without_end_are_refused() {
    let fork = json!({"properties": {"a": {"$ref": "#", "default": {}}, "b": {"$ref": "#", "default": {}}}});
    assert_eq!(with(&fork, json!({}), json!({})).unwrap_err().code(), Code::ManifestInvalid);
    let names: Map<String, Value> =
        (0..50).map(|n| (format!("p{n}"), json!({"default": "x".repeat(50_000)}))).collect();
    assert!(with(&json!({ "properties": names }), json!({}), json!({})).is_err());
}

#[test]
fn a_hostile_pattern_ends() {
    let schema = json!({"properties": {"a": {"pattern": "^(?=(a+)+$)(a|a?)+\\1b$"}}});
    assert!(with(&schema, json!({"a": "a".repeat(5000)}), json!({})).is_err());
}

#[test]
fn a_configuration_has_a_largest_size() {
    let error = effective(None, &map(json!({"a": "x".repeat(super::CONFIG_SIZE)})), &Map::new()).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
}

#[test]
fn a_text_without_the_unit_that_is_wanted_is_told_how_it_is_written() {
    let schema = json!({"properties": {"a": {"properties": {"timeout": {"type": "integer", "format": "duration"}}},
        "size": {"type": "integer", "format": "size"}, "plain": {"type": "integer"}}});
    let error = with(&schema, json!({}), json!({"a": {"timeout": "soon"}, "size": "10 XB", "plain": "x"})).unwrap_err();
    let told: Vec<&str> = error.record().message.lines().skip(1).collect();
    assert!(told.iter().any(|line| line.starts_with("/a/timeout: ") && line.contains("`30s`")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("/size: ") && line.contains("`100MB`")), "{told:?}");
    assert!(told.contains(&"/plain: the value is not of type \"integer\""), "{told:?}");
}
