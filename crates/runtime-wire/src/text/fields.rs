//! A JSON object taken apart, its values left as they are written.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Fields of one object at most.
const FIELDS: usize = 1_000;

/// The fields of an object, in their order. Values are checked to be JSON and kept as text.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Takes an object apart.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(super) fn of(text: &'a str) -> Result<Self, String> {
        let mut rest = text.trim_start();
        rest = rest.strip_prefix('{').ok_or("it is no JSON object")?.trim_start();
        let mut fields = Vec::new();
        if let Some(after) = rest.strip_prefix('}') {
            rest = after;
        } else {
            loop {
                let (name, after) = key(rest)?;
                rest = after.trim_start().strip_prefix(':').ok_or("a `:` is missing")?.trim_start();
                let (value, after) = raw(rest)?;
                fields.push((name, value));
                if fields.len() > FIELDS {
                    return Err(format!("it has more than {FIELDS} fields"));
                }
                rest = after.trim_start();
                match rest.as_bytes().first() {
                    Some(b',') => rest = rest.get(1..).unwrap_or_default().trim_start(),
                    Some(b'}') => {
                        rest = rest.get(1..).unwrap_or_default();
                        break;
                    }
                    _ => return Err("a `,` or `}` is missing".to_owned()),
                }
            }
        }
        if rest.trim().is_empty() { Ok(Self(fields)) } else { Err("there is more behind the object".to_owned()) }
    }

    /// The text of a value; the last one where a name comes twice.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A value as a type; `None` where it is absent or `null`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence that names the field.
    pub(super) fn read<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, String> {
        match self.get(name) {
            None | Some("null") => Ok(None),
            Some(value) => serde_json::from_str(value).map(Some).map_err(|error| format!("`{name}`: {error}")),
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

fn key(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Cow<'_, str>>();
    let name = values.next().ok_or("a name is missing")?.map_err(|error| format!("a name: {error}"))?;
    let end = values.byte_offset();
    Ok((name, text.get(end..).unwrap_or_default()))
}

fn raw(text: &str) -> Result<(&str, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next().ok_or("a value is missing")?.map_err(|error| error.to_string())?;
    let (value, rest) = text.split_at_checked(values.byte_offset()).unwrap_or_default();
    Ok((value.trim_end(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_are_written() {
        let fields = Fields::of(r#" {"a": 1.50 ,"b\n":{"x" : [1, 2]},"c":"é\"" , "d":null,"a":-0} "#).unwrap();
        assert_eq!(fields.get("a"), Some("-0"), "the last one counts");
        assert_eq!(fields.get("b\n"), Some(r#"{"x" : [1, 2]}"#));
        assert_eq!(fields.read::<String>("c").unwrap().as_deref(), Some("é\""));
        assert_eq!(fields.read::<u32>("d").unwrap(), None);
        assert!(fields.read::<u32>("c").unwrap_err().starts_with("`c`: "));
        assert_eq!(Fields::of("{}").unwrap().iter().count(), 0);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in
            ["", "[]", "5", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1} x", "{\"a\":1}{}", "{,}"]
        {
            assert!(Fields::of(bad).is_err(), "{bad}");
        }
        let many: String = (0..=FIELDS).map(|n| format!("\"{n}\":0,")).collect();
        assert!(Fields::of(&format!("{{{many}\"x\":0}}")).unwrap_err().contains("more than"));
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(Fields::of(&deep).unwrap().get("a").map(str::len), Some(2_000_000));
    }
}
