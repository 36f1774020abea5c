//! Settings as YAML text.

use serde_json::Value;

use crate::reading::scalar;
use crate::reading::tree;

/// Settings, or any other JSON value, as a YAML document.
#[must_use]
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut text),
        other => text.push_str(&format!("{}\n", flow(other))),
    }
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                text.push_str(&format!("{indent}{}:", word(key)));
                beside(value, depth, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{indent}-"));
                beside(item, depth, text);
            }
        }
        other => text.push_str(&format!("{indent}{}\n", flow(other))),
    }
}

/// A value behind its key or its dash.
fn beside(value: &Value, depth: usize, text: &mut String) {
    let nested = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    match nested {
        true => {
            text.push('\n');
            block(value, depth + 1, text);
        }
        false => text.push_str(&format!(" {}\n", flow(value))),
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        other => other.to_string(),
    }
}

/// A text without quotes where it can be, otherwise as JSON writes it, which is YAML.
fn word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "./~".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/~".contains(c))
        && text != "~"
        && scalar::resolve(text) == Some(tree::Value::Text(text.to_owned()));
    if plain { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::yaml;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({
            "folders": ["./plugins", "~/x", "~", "a b", "null", "1.5", "- x", "a: b", "#", "", "ü\n\u{1f600}\""],
            "n": 1, "f": 0.5, "t": true, "e": {}, "l": [], "deep": {"a": [{"b": [1]}, [2]]}, "yes": "yes", "0x1F": "0x1F",
        });
        let text = yaml(&value);
        let read = yaml::read(text.as_bytes(), false, &mut Default::default()).unwrap();
        assert_eq!(read.to_json(), value, "{text}");
    }
}
