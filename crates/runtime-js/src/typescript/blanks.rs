//! What is taken out of a text, and the few letters that are put into the gaps.

use oxc_span::Span;

/// Gaps in a text. Offsets are bytes.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    gaps: Vec<(usize, usize)>,
    letters: Vec<(usize, char)>,
}

impl Blanks {
    /// Takes a stretch out.
    pub(super) fn gap(&mut self, span: Span) {
        self.between(span.start as usize, span.end as usize);
    }

    /// Takes out what lies between two places.
    pub(super) fn between(&mut self, start: usize, end: usize) {
        if start < end {
            self.gaps.push((start, end));
        }
    }

    /// Writes an ASCII letter over the one at this place.
    pub(super) fn letter(&mut self, at: usize, letter: char) {
        self.letters.push((at, letter));
    }

    /// How many gaps there are: where a look back ends.
    pub(super) fn mark(&self) -> usize {
        self.gaps.len()
    }

    /// Ends what ends at `end` with a semicolon, if gaps since the mark reach up to there: with them goes the reason why no
    /// semicolon was needed, and the next line would be read as its continuation.
    pub(super) fn end(&mut self, mark: usize, end: usize) {
        let recent = self.gaps.get(mark..).unwrap_or_default();
        let mut begin = end;
        while let Some((start, _)) = recent.iter().rev().find(|(start, gap_end)| *start < begin && *gap_end >= begin) {
            begin = *start;
        }
        if begin < end {
            self.letter(begin, ';');
        }
    }

    /// The text with blanks in the gaps: each letter becomes one, line ends stay.
    pub(super) fn applied(mut self, source: &str) -> String {
        self.gaps.sort_unstable();
        self.letters.sort_unstable();
        let (mut gaps, mut letters) = (self.gaps.iter().peekable(), self.letters.iter().peekable());
        let mut blank_until = 0;
        let mut text = String::with_capacity(source.len());
        for (at, letter) in source.char_indices() {
            while let Some((_, end)) = gaps.next_if(|(start, _)| *start <= at) {
                blank_until = blank_until.max(*end);
            }
            let mut put = None;
            while let Some((_, letter)) = letters.next_if(|(place, _)| *place <= at) {
                put = Some(*letter);
            }
            text.push(match put {
                Some(put) => put,
                None if at < blank_until && !matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}') => ' ',
                None => letter,
            });
        }
        text
    }
}
