//! A manifest's text, to show faults in.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use midplane::contract::manifest::Fault;
use midplane::contract::{defaults, manifest};
use miette::{LabeledSpan, MietteError, NamedSource, SourceCode, SourceSpan, SpanContents};

use crate::notice;

/// Characters of a line that are shown.
const LINE: usize = 500;

/// A file's text. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Source(Arc<Text>);

#[derive(Debug)]
struct Text {
    /// As it is shown, under the name of the file.
    shown: NamedSource<String>,
    /// As it is.
    whole: Vec<u8>,
}

impl Source {
    /// A text that was read already.
    fn new(name: &str, whole: Vec<u8>) -> Self {
        // Control characters would steer the terminal; each gives way to one character, so that columns stay.
        let plain = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        let text = String::from_utf8_lossy(&whole);
        let lines = text.split('\n').map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            // A line that nobody could read whole is not shown whole.
            let cut = line.char_indices().nth(LINE).map_or("", |_| "…");
            line.chars().take(LINE).map(plain).chain(cut.chars()).collect::<String>()
        });
        let shown = NamedSource::new(notice::tidy(name), lines.collect::<Vec<_>>().join("\n"));
        Self(Arc::new(Text { shown, whole }))
    }

    /// Reads a file; one that cannot be read has no text to show.
    pub(crate) fn read(name: &str) -> Self {
        let mut text = Vec::new();
        if let Ok(file) = File::open(name) {
            // What was read before a failure is shown.
            let _ = file.take(defaults::MANIFEST_SIZE as u64).read_to_end(&mut text);
        }
        Self::new(name, text)
    }

    /// Reads a file to show these faults in. Where one is about a secret, the file may hold it: nothing of it is shown then.
    pub(crate) fn of(name: &str, faults: &[Fault]) -> Self {
        let is_secret = |fault: &Fault| ["/secrets", "/store"].iter().any(|section| fault.path.starts_with(section));
        if faults.iter().any(is_secret) { Self::new(name, Vec::new()) } else { Self::read(name) }
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        self.0.shown.name()
    }

    /// Line and column of a field, a JSON pointer. `None` where it is not written.
    pub(super) fn place(&self, field: &str) -> Option<(usize, usize)> {
        manifest::place(self.name(), &self.0.whole, &[field])
    }

    /// Marks the word at a line and column, both from 1. `None` where there is no such place.
    pub(super) fn label(&self, line: usize, column: usize) -> Option<LabeledSpan> {
        let text = self.0.shown.inner();
        let mut start = 0;
        for _ in 1..line {
            start += text.get(start..)?.find('\n')? + 1;
        }
        let rest = text.get(start..).filter(|_| line > 0 && !text.is_empty())?;
        let row = rest.lines().next().unwrap_or_default();
        let skipped = row.char_indices().nth(column.saturating_sub(1)).map_or(row.len(), |(at, _)| at);
        let word = row.get(skipped..)?;
        let length = word.find([' ', ',', ':', ']', '}']).unwrap_or(word.len()).max(1);
        Some(LabeledSpan::new(None, start + skipped, length.min(text.len() - start - skipped)))
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        self.0.shown.read_span(span, before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, line: usize, column: usize) -> Option<&str> {
        let label = Source::new("plugin.yaml", text.into()).label(line, column)?;
        text.get(label.offset()..label.offset() + label.len())
    }

    #[test]
    fn the_word_at_the_place_is_marked() {
        let text = "id: a\nversion: ü1.0 # x\n";
        assert_eq!(marked(text, 1, 5), Some("a"));
        assert_eq!(marked(text, 2, 1), Some("version"));
        assert_eq!(marked(text, 2, 10), Some("ü1.0"));
        assert_eq!(marked(text, 9, 1), None);
        assert_eq!(marked(text, 0, 0), None);
        assert_eq!(marked("", 1, 1), None);
    }

    #[test]
    fn endless_lines_and_ends_of_lines_of_other_systems_are_not_shown() {
        let source = Source::new("m.yaml", format!("a: 1\r\nb: {}\r\nc: 3", "ü".repeat(300_000)).into());
        let text = source.0.shown.inner();
        assert!(text.starts_with("a: 1\nb: ü") && text.ends_with("ü…\nc: 3") && text.len() < 1_100, "{}", text.len());
        assert!(source.label(2, 200_000).is_some());
        assert_eq!(source.place("/c"), Some((3, 1)), "found in what is not shown");
    }
}
