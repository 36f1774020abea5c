//! What a child prints: cut into lines, made harmless, logged, and the last of it kept for reports.

use std::collections::VecDeque;
use std::fmt::Write as _;

use midplane_contract::{PluginId, defaults};
use midplane_kernel::{Allowance, Throttle};
use tracing::Level;

use crate::fault::HEADLINES;

/// Lines kept for the report of a crash, and the longest that one may be there.
const KEPT: usize = 20;
const KEPT_LENGTH: usize = 500;
/// Lines of a trace at most that stand between what happened and the end of the output.
const TRACE: u64 = 5_000;

/// Takes a child's output piece by piece.
#[derive(Debug)]
pub(crate) struct Output {
    plugin: PluginId,
    line: Vec<u8>,
    cut: bool,
    last: VecDeque<String>,
    /// How many lines there were, and which of them was the last headline.
    lines: u64,
    headline: Option<(u64, String)>,
    throttle: Throttle,
}

impl Output {
    pub(crate) fn new(plugin: PluginId) -> Self {
        let allowance = Allowance { lines: defaults::LOG_LINES, bytes: defaults::LOG_BYTES };
        let named = plugin.clone();
        let throttle = Throttle::new(allowance, move |count, _| {
            let said = allowance.excess(count);
            tracing::info!(target: "midplane::stderr", plugin = %named, "{said}");
        });
        let (line, last) = (Vec::new(), VecDeque::new());
        Self { plugin, line, cut: false, last, lines: 0, headline: None, throttle }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = defaults::LOG_LINE.saturating_sub(self.line.len()).min(text.len());
            self.cut |= room < text.len();
            self.line.extend_from_slice(text.get(..room).unwrap_or_default());
            if ends {
                self.end_line();
            }
        }
    }

    /// Logs what has no end of line.
    pub(crate) fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.throttle.settle();
    }

    /// The last lines, oldest first. What was the headline of a trace that is longer comes before them.
    pub(crate) fn last(&self) -> impl Iterator<Item = &str> {
        let pushed_out = |number: u64| (KEPT as u64 + 1..TRACE).contains(&(self.lines - number));
        let headline = self.headline.as_ref().filter(|(number, _)| pushed_out(*number));
        headline.map(|(_, line)| line.as_str()).into_iter().chain(self.last.iter().map(String::as_str))
    }

    fn end_line(&mut self) {
        let mut text = harmless(&self.line);
        if std::mem::take(&mut self.cut) {
            let _ = write!(text, "… (cut at {} bytes)", defaults::LOG_LINE);
        }
        self.line.clear();
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        let kept: String = text.chars().take(KEPT_LENGTH).collect();
        if HEADLINES.iter().any(|beginning| kept.starts_with(beginning)) {
            self.take_headline(&kept);
        }
        self.lines += 1;
        self.last.push_back(kept);
        if self.throttle.admits(Level::INFO, text.len()) {
            tracing::info!(target: "midplane::stderr", plugin = %self.plugin, "{text}");
        }
    }

    /// Headlines that follow each other at once are one.
    fn take_headline(&mut self, line: &str) {
        match &mut self.headline {
            Some((number, text)) if self.lines - *number <= 1 && text.len() < 4 * KEPT_LENGTH => {
                text.push('\n');
                text.push_str(line);
                *number = self.lines;
            }
            headline => *headline = Some((self.lines, line.to_owned())),
        }
    }
}

/// Text with every control character escaped but the tab: nobody's terminal obeys a plugin.
fn harmless(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len());
    for character in String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).chars() {
        if character.is_control() && character != '\t' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut output = Output::new(PluginId::new("p").unwrap());
        for piece in pieces {
            output.take(piece);
        }
        output.finish();
        output.last().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_joined_across_pieces_and_the_last_needs_no_end() {
        assert_eq!(lines(&[b"one\ntw", b"o\r\n", b"three"]), ["one", "two", "three"]);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(lines(&[b"\x1b[31mred\x07\tx"]), ["\\u{1b}[31mred\\u{7}\tx"]);
    }

    #[test]
    fn an_endless_line_is_held_and_cut_at_the_cap() {
        let mut output = Output::new(PluginId::new("p").unwrap());
        for _ in 0..100 {
            output.take(&[b'x'; 10_000]);
            assert!(output.line.len() <= defaults::LOG_LINE);
        }
        assert!(output.cut);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let text: String = (0..100).map(|n| format!("{n}\n")).collect();
        let kept = lines(&[text.as_bytes()]);
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT, "80"));
    }

    #[test]
    fn the_headline_of_a_long_trace_is_kept_and_one_that_is_in_sight_is_not_repeated() {
        let trace = |length: u64| (0..length).map(|n| format!("\tat {n}\n")).collect::<String>();
        let kept = lines(&[b"fatal error: out of memory\n", trace(100).as_bytes()]);
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[1].as_str()),
            (KEPT + 1, "fatal error: out of memory", "\tat 80")
        );
        let words = lines(&[b"runtime: no more threads\nfatal error: newosproc\n", trace(100).as_bytes()]);
        assert_eq!(words[0], "runtime: no more threads\nfatal error: newosproc");
        assert_eq!(lines(&[b"panic: boom\n", trace(19).as_bytes()]).len(), KEPT);
        assert_eq!(lines(&[b"panic: boom\n", trace(20).as_bytes()])[0], "panic: boom");
        assert_eq!(lines(&[b"panic: long ago\n", trace(TRACE).as_bytes()])[0], format!("\tat {}", TRACE - 20));
    }
}
