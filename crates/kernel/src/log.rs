//! A plugin's log: lines of bounded length without control characters, under the plugin's id.

use std::borrow::Cow;

use midplane_contract::{PluginId, defaults};
use serde_json::Value;

use crate::secret::mask;

/// Writes a line to the host's log, target `plugin`. Longer lines are cut and say so.
pub(crate) fn write(plugin: &PluginId, level: &str, message: &str, fields: Option<&Value>) {
    let message = mask(message);
    let message = tidy(&message);
    let fields = fields.filter(|fields| !fields.is_null()).map(|fields| tidy(&mask(&fields.to_string())).into_owned());
    let fields = fields.as_deref().unwrap_or_default();
    match level {
        "trace" => tracing::trace!(target: "plugin", %plugin, fields, "{message}"),
        "debug" => tracing::debug!(target: "plugin", %plugin, fields, "{message}"),
        "warn" | "warning" => tracing::warn!(target: "plugin", %plugin, fields, "{message}"),
        "error" => tracing::error!(target: "plugin", %plugin, fields, "{message}"),
        _ => tracing::info!(target: "plugin", %plugin, fields, "{message}"),
    }
}

/// Cuts to 16 KiB and escapes control characters, so that a plugin cannot write lines of others or steer a terminal.
fn tidy(text: &str) -> Cow<'_, str> {
    let cut = (0..=defaults::LOG_LINE.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (kept, rest) = text.split_at(cut);
    if rest.is_empty() && !kept.chars().any(char::is_control) {
        return Cow::Borrowed(kept);
    }
    let mut tidied = String::with_capacity(kept.len() + 32);
    for c in kept.chars() {
        if c.is_control() && c != '\t' { tidied.extend(c.escape_default()) } else { tidied.push(c) }
    }
    if !rest.is_empty() {
        tidied.push_str(&format!(" … ({} more bytes cut off)", rest.len()));
    }
    Cow::Owned(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(tidy("a\u{1b}[31mb\nc\td"), "a\\u{1b}[31mb\\nc\td");
        assert!(matches!(tidy("plain ü"), Cow::Borrowed("plain ü")));
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "ü".repeat(defaults::LOG_LINE);
        let tidied = tidy(&long);
        assert!(tidied.len() < defaults::LOG_LINE + 64);
        assert!(tidied.ends_with("more bytes cut off)"));
    }
}
