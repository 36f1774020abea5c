//! The JSON Schema for editors, printed from the tables that validation uses.

use serde_json::{Map, Value, json};

use super::rule::Rule;
use super::shape::{Field, Shape};

/// The JSON Schema of a document with one spelling.
pub(crate) fn document(title: &str, description: &str, fields: &[Field]) -> Value {
    let mut schema = object(fields);
    insert(&mut schema, "$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    insert(&mut schema, "title", json!(title));
    insert(&mut schema, "description", json!(description));
    schema
}

/// The JSON Schema of a map with these fields.
pub(crate) fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        insert(&mut schema, "required", json!(required));
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = value(&field.shape);
    if !field.required {
        allow_null(&mut schema);
    }
    insert(&mut schema, "description", json!(field.about));
    schema
}

/// A field that may be absent may be left empty as well.
fn allow_null(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(kind) = map.get_mut("type") {
        match kind {
            Value::Array(kinds) => kinds.push(json!("null")),
            one => *one = json!([one.take(), "null"]),
        }
    } else if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.push(Value::Null);
    } else if let Some(Value::Array(shapes)) = map.get_mut("anyOf") {
        shapes.push(json!({"type": "null"}));
    }
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
    }
}

fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Text(rule) => text(*rule),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Whole(least, u64::MAX) => json!({"type": "integer", "minimum": least}),
        Shape::Whole(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Signed => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        Shape::Share(most) => json!({"type": "number", "exclusiveMinimum": 0, "maximum": most}),
        Shape::Word(words) => json!({"enum": words.words}),
        Shape::List(item) => json!({"type": "array", "items": value(item)}),
        Shape::Table(rule, item) => {
            json!({"type": "object", "propertyNames": text(*rule), "additionalProperties": value(item)})
        }
        Shape::Object(fields) => object(fields),
        Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(value).collect::<Vec<_>>()}),
        Shape::FreeMap => json!({"type": "object"}),
        Shape::JsonSchema => json!({"type": ["object", "boolean"]}),
        Shape::Anything => json!({}),
    }
}

/// Patterns are wider than the rules where a rule is no regular language or a pattern would be unreadable.
fn text(rule: Rule) -> Value {
    match rule {
        Rule::Any | Rule::Path => json!({"type": "string"}),
        Rule::Filled | Rule::Range | Rule::InterfaceRange | Rule::IdRange => json!({"type": "string", "minLength": 1}),
        Rule::Id => json!({"type": "string", "pattern": "^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?$"}),
        Rule::Action => json!({"type": "string", "minLength": 1, "maxLength": 256}),
        Rule::Interface => json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$"}),
        Rule::Version => {
            json!({"type": "string", "pattern": "^v?[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$"})
        }
        Rule::Permission => {
            json!({"type": "string", "pattern": "^!?[a-z][a-z0-9_-]*\\.(\\*|[a-z][a-z0-9_-]*)(:.+)?$"})
        }
        Rule::Duration | Rule::SomeTime => {
            json!({"type": "string", "pattern": "^[0-9][0-9.]* ?(us|µs|ms|s|m|min|h|d)$"})
        }
        Rule::Size | Rule::SomeSize => {
            json!({"type": "string", "pattern": "^[0-9][0-9.]* ?(B|[kKMGT]B|[KMGT]iB)(/s)?$"})
        }
        Rule::Extension => json!({"type": "string", "pattern": "^\\..*[^.]$"}),
        Rule::Variable => json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
        Rule::Time => json!({"type": "string", "format": "date-time"}),
        Rule::ApiVersion => json!({"const": "v1"}),
        Rule::Server => json!({"type": "string", "pattern": "^(/.+|[^/@ ]+)$"}),
        Rule::Secret => json!({"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"}),
    }
}
