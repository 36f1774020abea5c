//! A plugin's log: lines of bounded length and number without control characters, under the plugin's id.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use midplane_contract::{Error, PluginId, defaults};
use serde_json::Value;
use tracing::Level;

use crate::secret::mask;
use crate::throttle::{Allowance, Throttle};

/// The log of one plugin. Cheap to clone; clones share what the plugin may log in a second.
#[derive(Clone)]
pub(crate) struct Log {
    plugin: PluginId,
    throttle: Throttle,
    /// Bytes of a line.
    most: Arc<AtomicUsize>,
}

impl Log {
    pub(crate) fn new(plugin: PluginId) -> Self {
        let allowance = Allowance { lines: defaults::LOG_LINES, bytes: defaults::LOG_BYTES };
        let named = plugin.clone();
        let throttle = Throttle::new(allowance, move |count, level| {
            emit(&named, level, &allowance.excess(count), "");
        });
        Self { plugin, throttle, most: Arc::new(AtomicUsize::new(defaults::LOG_LINE)) }
    }

    /// Cuts lines at so many bytes from here on.
    pub(crate) fn cut_at(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Writes a line to the host's log, target `plugin`. Longer lines are cut and say so; one too many is only counted.
    pub(crate) fn write(&self, level: &str, message: &str, fields: Option<&Value>) {
        let level = level_of(level);
        if !is_logged(level) {
            return;
        }
        let fields = fields.filter(|fields| !fields.is_null()).map(Value::to_string).unwrap_or_default();
        let most = self.most.load(Ordering::Relaxed);
        let size = message.len().min(most) + fields.len().min(most);
        if self.throttle.admits(level, size) {
            emit(&self.plugin, level, &tidy(&mask(message), most), &tidy(&mask(&fields), most));
        }
    }

    /// Says that the plugin was denied something, in the host's words.
    pub(crate) fn denied(&self, error: &Error) {
        if self.throttle.admits(Level::WARN, 0) {
            let remedy = error.record().remedy.as_deref().unwrap_or_default();
            tracing::warn!(plugin = %self.plugin, %error, remedy, "permission denied");
        }
    }

    /// Says at once how many lines were left out, if any were.
    pub(crate) fn settle(&self) {
        self.throttle.settle();
    }
}

fn level_of(word: &str) -> Level {
    match word {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "warn" | "warning" => Level::WARN,
        "error" => Level::ERROR,
        _ => Level::INFO,
    }
}

/// Whether anybody listens: what nobody sees uses nothing up.
fn is_logged(level: Level) -> bool {
    match level {
        Level::TRACE => tracing::enabled!(target: "plugin", Level::TRACE),
        Level::DEBUG => tracing::enabled!(target: "plugin", Level::DEBUG),
        Level::WARN => tracing::enabled!(target: "plugin", Level::WARN),
        Level::ERROR => tracing::enabled!(target: "plugin", Level::ERROR),
        Level::INFO => tracing::enabled!(target: "plugin", Level::INFO),
    }
}

fn emit(plugin: &PluginId, level: Level, message: &str, fields: &str) {
    match level {
        Level::TRACE => tracing::trace!(target: "plugin", %plugin, fields, "{message}"),
        Level::DEBUG => tracing::debug!(target: "plugin", %plugin, fields, "{message}"),
        Level::WARN => tracing::warn!(target: "plugin", %plugin, fields, "{message}"),
        Level::ERROR => tracing::error!(target: "plugin", %plugin, fields, "{message}"),
        Level::INFO => tracing::info!(target: "plugin", %plugin, fields, "{message}"),
    }
}

/// Cuts to so many bytes and escapes control characters, so that a plugin cannot write lines of others or steer a terminal.
fn tidy(text: &str, most: usize) -> Cow<'_, str> {
    let cut = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
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
        assert_eq!(tidy("a\u{1b}[31mb\nc\td", 100), "a\\u{1b}[31mb\\nc\td");
        assert!(matches!(tidy("plain ü", 8), Cow::Borrowed("plain ü")));
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "ü".repeat(defaults::LOG_LINE);
        let tidied = tidy(&long, defaults::LOG_LINE);
        assert!(tidied.len() < defaults::LOG_LINE + 64);
        assert!(tidied.ends_with("more bytes cut off)"));
    }
}
