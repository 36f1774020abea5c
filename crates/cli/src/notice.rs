//! Short notes to people on stderr, beside the result.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on notes are kept to oneself (`--quiet`).
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Writes a note. A stderr that cannot be written is no reason to fail.
pub(crate) fn say(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        write(text);
    }
}

/// Writes to stderr, quiet or not.
pub(crate) fn write(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", tidy(text));
}

/// Writes text of our own that holds colours, and an empty line behind it.
pub(crate) fn write_as_is(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}\n", text.trim_end());
}

/// Whether a stream may be coloured: it is a terminal that is not dumb, and `NO_COLOR` is not set to anything.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    stream.is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// Escapes control characters, so that what a plugin or a file says cannot steer a terminal.
pub(crate) fn tidy(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut tidied, c| {
        match c.is_control() && c != '\n' && c != '\t' {
            true => tidied.extend(c.escape_default()),
            false => tidied.push(c),
        }
        tidied
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_lines_stay_lines() {
        assert_eq!(tidy("a\u{1b}[2Jb\nc\td\r"), "a\\u{1b}[2Jb\nc\td\\r");
    }
}
