//! Where something is written in a manifest, for faults that are found outside of it.

use crate::reading::fault::Faults;
use crate::reading::tree::{Mark, Value};
use crate::reading::yaml;

/// Line and column, from 1, of the first of these fields that is written. `name` and the limits are as for
/// [`super::parse`]; fields are JSON pointers (RFC 6901) into the text as it is spelled.
#[must_use]
pub fn place(name: &str, text: &[u8], fields: &[&str]) -> Option<(usize, usize)> {
    let json = name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
    let root = yaml::read(text, json, &mut Faults::default())?;
    let mark = |pointer: &&str| -> Option<Mark> {
        let mut node = &root;
        let mut mark = root.at;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            (mark, node) = match &node.value {
                Value::List(items) => items.get(step.parse::<usize>().ok()?).map(|item| (item.at, item))?,
                _ => node.entries().iter().find(|entry| entry.key == step).map(|entry| (entry.at, &entry.node))?,
            };
        }
        Some(mark)
    };
    fields.iter().find_map(mark).map(|mark| (mark.line, mark.column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_that_is_written_is_found() {
        let text = b"id: a\nlimits:\n  memory: 5\nactions: [b, c]\n";
        assert_eq!(place("plugin.yaml", text, &["/limits/cpu", "/limits/memory"]), Some((3, 3)));
        assert_eq!(place("plugin.yaml", text, &["/actions/1"]), Some((4, 14)));
        assert_eq!(place("plugin.yaml", text, &["/nothing"]), None);
        assert_eq!(place("plugin.json", b"{", &["/id"]), None);
    }
}
