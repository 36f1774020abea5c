//! Variables in texts: `${NAME}`, `${NAME:-default}`, where the default may hold variables too, and `$${` for a `${` that
//! stays.

use std::collections::BTreeMap;

use crate::defaults::MANIFEST_SIZE;
use crate::reading::fault::{Fault, FaultCode, Faults};
use crate::reading::rule::Rule;
use crate::reading::tree::{Node, Value, join};

/// Puts variables into every text of a tree; names of fields stay as they are. At most 1 MiB comes out of one tree.
pub(super) fn expand(root: &mut Node, variables: &BTreeMap<String, String>, faults: &mut Faults) {
    Expansion { variables, faults, room: MANIFEST_SIZE }.node(root, "");
}

/// How deep defaults may hold variables.
const NESTED: usize = 8;

/// What is wrong, and what to do.
type Broken = (String, String);

struct Expansion<'a> {
    variables: &'a BTreeMap<String, String>,
    faults: &'a mut Faults,
    room: usize,
}

impl Expansion<'_> {
    fn node(&mut self, node: &mut Node, path: &str) {
        let at = node.at;
        match &mut node.value {
            Value::Text(text) if text.contains("${") => match self.text(text) {
                Ok(expanded) => *text = expanded,
                Err((message, remedy)) => {
                    self.faults.push(Fault::new(FaultCode::InvalidValue, at, path, message, remedy));
                }
            },
            Value::List(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    self.node(item, &format!("{path}/{number}"));
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.node(&mut entry.node, &join(path, &entry.key));
                }
            }
            _ => {}
        }
    }

    /// The text with its variables put in, or what is wrong and what to do.
    fn text(&mut self, text: &str) -> Result<String, Broken> {
        let mut expanded = String::with_capacity(text.len());
        self.put(text, 0, &mut expanded)?;
        self.room = self.room.checked_sub(expanded.len()).ok_or_else(too_much)?;
        Ok(expanded)
    }

    fn put(&self, text: &str, depth: usize, expanded: &mut String) -> Result<(), Broken> {
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str("${");
                rest = behind;
                continue;
            }
            expanded.push_str(before);
            let Some((inside, after)) = braced(behind) else {
                let remedy = "close it: `${NAME}`; for a `${` that is to stay write `$${`";
                return Err(("a `${` has no `}`".to_owned(), remedy.to_owned()));
            };
            self.value(inside, depth, expanded)?;
            if expanded.len() > self.room {
                return Err(too_much());
            }
            rest = after;
        }
        expanded.push_str(rest);
        Ok(())
    }

    fn value(&self, inside: &str, depth: usize, expanded: &mut String) -> Result<(), Broken> {
        let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, value)| (name, Some(value)));
        Rule::Variable.check(name).map_err(|broken| (broken.message, broken.remedy))?;
        let set = self.variables.get(name).map(String::as_str).filter(|value| default.is_none() || !value.is_empty());
        match (set, default) {
            (Some(value), _) => expanded.push_str(value),
            (None, Some(_)) if depth == NESTED => {
                let message = format!("defaults hold variables more than {NESTED} deep");
                return Err((message, "set one of the variables, or write fewer of them".to_owned()));
            }
            (None, Some(default)) => self.put(default, depth + 1, expanded)?,
            (None, None) => {
                let remedy = format!("set {name} in the environment, or write `${{{name}:-default}}`");
                return Err((format!("the variable {name} is not set"), remedy));
            }
        }
        Ok(())
    }
}

fn too_much() -> Broken {
    ("with its variables the file has more than 1 MiB".to_owned(), "put less into the variables".to_owned())
}

/// What stands before the `}` that belongs to a `${`, and what comes behind it.
fn braced(behind: &str) -> Option<(&str, &str)> {
    let (mut open, mut from) = (1_usize, 0);
    loop {
        let here = from + behind.get(from..)?.find(['$', '}'])?;
        let rest = behind.get(here..)?;
        if rest.starts_with("$${") {
            from = here + 3;
        } else if rest.starts_with("${") {
            open += 1;
            from = here + 2;
        } else if rest.starts_with('}') {
            open -= 1;
            if open == 0 {
                return Some((behind.get(..here)?, rest.get(1..)?));
            }
            from = here + 1;
        } else {
            from = here + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::tree::Mark;

    fn expanded(text: &str) -> Result<String, String> {
        let long = "x".repeat(100_000);
        let variables = [("HOME", "/srv/u"), ("EMPTY", ""), ("LONG", &long)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut node = Node { at: Mark::START, value: Value::Text(text.to_owned()) };
        let mut faults = Faults::default();
        expand(&mut node, &variables.into(), &mut faults);
        match faults.finish().first() {
            Some(fault) => Err(fault.message.clone()),
            None => Ok(node.text().unwrap().to_owned()),
        }
    }

    #[test]
    fn variables_defaults_and_escapes_are_understood() {
        #[rustfmt::skip]
        let table = [
            ("${HOME}/x", "/srv/u/x"), ("a${EMPTY}b", "ab"), ("${EMPTY:-d}", "d"), ("${NONE:-a:-b}", "a:-b"),
            ("${NONE:-}", ""), ("$${HOME}", "${HOME}"), ("$HOME $ {x}", "$HOME $ {x}"), ("${HOME}${HOME}", "/srv/u/srv/u"),
            ("${NONE:-${NO:-c}}d", "cd"), ("${NONE:-<${HOME}>}", "</srv/u>"), ("${HOME:-${NONE}}", "/srv/u"),
            ("${NONE:-$${x}}", "${x}"), ("${NONE:-{}}", "{}"), ("${NONE:-$}", "$"), ("$$${HOME}", "$${HOME}"),
        ];
        for (text, wanted) in table {
            assert_eq!(expanded(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_expanded_is_a_fault() {
        assert_eq!(expanded("${NONE}").unwrap_err(), "the variable NONE is not set");
        assert_eq!(expanded("${HOME").unwrap_err(), "a `${` has no `}`");
        assert!(expanded("${A B}").unwrap_err().contains("not the name"));
        assert!(expanded("${}").is_err());
        assert_eq!(expanded("${NONE:-${NO}}").unwrap_err(), "the variable NO is not set");
        assert_eq!(expanded("${NONE:-${HOME}").unwrap_err(), "a `${` has no `}`");
        assert!(expanded(&"${LONG}".repeat(100_000)).unwrap_err().contains("more than 1 MiB"));
        let deep = |levels: usize| format!("{}{}", "${NONE:-".repeat(levels), "}".repeat(levels));
        assert_eq!(expanded(&deep(8)).unwrap(), "");
        assert!(expanded(&deep(100_000)).unwrap_err().contains("more than 8 deep"));
    }
}
