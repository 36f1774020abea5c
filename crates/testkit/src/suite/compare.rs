//! Comparing JSON by value, with the place of the first difference.

use serde_json::{Number, Value};

/// The first place where two values differ.
#[derive(Debug, PartialEq)]
pub(super) struct Difference<'a> {
    /// A JSON pointer (RFC 6901); empty for the whole.
    pub(super) path: String,
    /// What should be there; `None` when nothing should.
    pub(super) expected: Option<&'a Value>,
    /// What is there; `None` when nothing is.
    pub(super) got: Option<&'a Value>,
}

/// How much a value may have that was not expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing.
    Exact,
    /// Fields of maps, and items at the end of lists.
    Subset,
}

/// Compares; `None` when there is no difference. Recursion is bounded by the depth of parsed JSON and YAML.
pub(super) fn compare<'a>(expected: &'a Value, got: &'a Value, extent: Extent) -> Option<Difference<'a>> {
    at("", expected, got, extent)
}

fn at<'a>(path: &str, expected: &'a Value, got: &'a Value, extent: Extent) -> Option<Difference<'a>> {
    let here = |expected, got| Some(Difference { path: path.to_owned(), expected, got });
    match (expected, got) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, expected) in wanted {
                let path = step(path, key);
                match found.get(key) {
                    None => return Some(Difference { path, expected: Some(expected), got: None }),
                    Some(got) => {
                        if let Some(difference) = at(&path, expected, got, extent) {
                            return Some(difference);
                        }
                    }
                }
            }
            let (key, got) =
                found.iter().find(|(key, _)| !wanted.contains_key(*key)).filter(|_| extent == Extent::Exact)?;
            Some(Difference { path: step(path, key), expected: None, got: Some(got) })
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let most = match extent {
                Extent::Exact => wanted.len().max(found.len()),
                Extent::Subset => wanted.len(),
            };
            (0..most).find_map(|number| {
                let path = step(path, &number.to_string());
                match (wanted.get(number), found.get(number)) {
                    (Some(expected), Some(got)) => at(&path, expected, got, extent),
                    (expected, got) => Some(Difference { path, expected, got }),
                }
            })
        }
        (Value::Number(wanted), Value::Number(found)) if same(wanted, found) => None,
        (wanted, found) if wanted == found => None,
        (wanted, found) => here(Some(wanted), Some(found)),
    }
}

/// Numbers by their value: languages write 1 as 1 or 1.0. Whole numbers are compared exactly.
fn same(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}

fn step(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(expected: &Value, got: &Value, extent: Extent) -> Option<String> {
        compare(expected, got, extent).map(|difference| difference.path)
    }

    #[test]
    fn values_are_equal_whatever_the_order_of_fields_and_the_spelling_of_numbers() {
        assert_eq!(path(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0}), Extent::Exact), None);
        assert_eq!(path(&json!(u64::MAX), &json!(u64::MAX - 1), Extent::Exact), Some(String::new()));
        assert_eq!(path(&json!("1"), &json!(1), Extent::Exact), Some(String::new()));
    }

    #[test]
    fn the_first_difference_has_its_place() {
        assert_eq!(
            path(&json!({"a": {"b/c": [1, 2]}}), &json!({"a": {"b/c": [1, 3]}}), Extent::Exact).unwrap(),
            "/a/b~1c/1"
        );
        assert_eq!(path(&json!({"a": 1}), &json!({}), Extent::Subset).unwrap(), "/a");
        assert_eq!(path(&json!({}), &json!({"a": 1}), Extent::Exact).unwrap(), "/a");
        assert_eq!(path(&json!([1]), &json!([1, 2]), Extent::Exact).unwrap(), "/1");
    }

    #[test]
    fn a_subset_may_be_exceeded() {
        let got = json!({"list": [{"a": 1, "b": 2}, 5], "more": null});
        assert_eq!(path(&json!({"list": [{"a": 1}]}), &got, Extent::Subset), None);
        assert_eq!(path(&json!({"list": [{"a": 1}, 5, 6]}), &got, Extent::Subset).unwrap(), "/list/2");
        assert_eq!(path(&json!({}), &json!([]), Extent::Subset), Some(String::new()));
    }
}
