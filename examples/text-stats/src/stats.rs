//! Counting what is in a text.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::options::Options;
use crate::vocabulary::{Frequency, Vocabulary};

/// What is in a text. Lines, words, bytes and characters are those of `wc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Line feeds. A last line without one is not counted, as with `wc -l`.
    pub lines: u64,
    /// Runs of anything between blanks, as with `wc -w`.
    pub words: u64,
    /// Unicode scalar values, as with `wc -m`; bytes that are not UTF-8 are not counted.
    pub characters: u64,
    /// What a reader takes for one character: `é` as two scalar values is one, a flag is one.
    pub graphemes: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes that are not UTF-8.
    pub invalid_bytes: u64,
    /// The line with the most characters, the first of equals; `None` for an empty text.
    pub longest_line: Option<LongestLine>,
    /// Different words, without regard to case.
    pub distinct_words: u64,
    /// The most frequent words, in lower case.
    pub most_frequent: Vec<Frequency>,
    /// Whether all words could be told apart; `false` only for texts of more than 200,000 different ones.
    pub vocabulary_complete: bool,
    /// Time to read it, in seconds, rounded up.
    pub reading_time_seconds: u64,
}

/// The line with the most characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LongestLine {
    /// Its number, from 1.
    pub number: u64,
    /// Its characters, without line feed and carriage return.
    pub characters: u64,
}

/// Counts. Any bytes will do: what is not UTF-8 is counted as `invalid_bytes` and skipped. Takes memory for the
/// different words only, never for a second copy of the text.
#[must_use]
pub fn count(text: &[u8], options: Options) -> Stats {
    let mut scan = Scan::default();
    let mut vocabulary = Vocabulary::default();
    for chunk in text.utf8_chunks() {
        scan.read(chunk.valid());
        vocabulary.read(chunk.valid());
        scan.invalid_bytes += chunk.invalid().len() as u64;
    }
    scan.end_line();
    let minutes_times_60 = scan.words.saturating_mul(60);
    Stats {
        lines: scan.lines,
        words: scan.words,
        characters: scan.characters,
        graphemes: scan.graphemes,
        bytes: text.len() as u64,
        invalid_bytes: scan.invalid_bytes,
        longest_line: scan.longest,
        distinct_words: vocabulary.distinct() as u64,
        vocabulary_complete: vocabulary.is_complete(),
        most_frequent: vocabulary.most_frequent(options.top),
        reading_time_seconds: minutes_times_60.div_ceil(u64::from(options.words_per_minute.max(1))),
    }
}

/// One pass over the text.
#[derive(Debug, Default)]
struct Scan {
    lines: u64,
    words: u64,
    characters: u64,
    graphemes: u64,
    invalid_bytes: u64,
    longest: Option<LongestLine>,
    in_word: bool,
    line_characters: u64,
    carriage_return: bool,
}

impl Scan {
    fn read(&mut self, text: &str) {
        self.graphemes += text.graphemes(true).count() as u64;
        for c in text.chars() {
            self.characters += 1;
            let blank = c.is_whitespace();
            self.words += u64::from(!blank && !self.in_word);
            self.in_word = !blank;
            if c == '\n' {
                self.end_line();
                self.lines += 1;
            } else {
                self.line_characters += 1;
                self.carriage_return = c == '\r';
            }
        }
    }

    /// Closes the line being read: at its line feed, and at the end of the text.
    fn end_line(&mut self) {
        let characters = self.line_characters - u64::from(self.carriage_return);
        if characters > self.longest.map_or(0, |line| line.characters) {
            self.longest = Some(LongestLine { number: self.lines + 1, characters });
        }
        self.line_characters = 0;
        self.carriage_return = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Stats {
        count(text.as_bytes(), Options::default())
    }

    #[test]
    fn an_empty_text_has_nothing() {
        let stats = of("");
        assert_eq!((stats.lines, stats.words, stats.characters, stats.graphemes, stats.bytes), (0, 0, 0, 0, 0));
        assert_eq!(stats.longest_line, None);
        assert_eq!(stats.reading_time_seconds, 0);
    }

    #[test]
    fn a_last_line_without_line_feed_is_not_a_line_but_can_be_the_longest() {
        let stats = of("ab\r\nabcdef");
        assert_eq!(stats.lines, 1);
        assert_eq!(stats.longest_line, Some(LongestLine { number: 2, characters: 6 }));
        assert_eq!(of("abcd\r\nabc").longest_line, Some(LongestLine { number: 1, characters: 4 }));
    }

    /// Scalar values and grapheme clusters as Unicode Standard Annex 29 defines them.
    #[test]
    fn what_a_reader_takes_for_one_character_is_one_grapheme() {
        let family = "👨‍👩‍👧";
        let stats = of(family);
        assert_eq!((stats.characters, stats.graphemes, stats.bytes), (5, 1, 18));
        let stats = of("e\u{301}");
        assert_eq!((stats.characters, stats.graphemes), (2, 1));
        let stats = of("🇩🇪🇫🇷");
        assert_eq!((stats.characters, stats.graphemes), (4, 2));
    }

    #[test]
    fn frequent_words_come_first_and_equals_by_alphabet() {
        let words: Vec<_> =
            of("b a B c, a. Can't can't CAN'T").most_frequent.into_iter().map(|f| (f.word, f.count)).collect();
        let expected = [("can't", 3), ("a", 2), ("b", 2), ("c", 1)];
        assert_eq!(words, expected.map(|(word, count)| (word.to_owned(), count)));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_counted_apart_and_break_no_word() {
        let stats = count(b"ab\xffcd \xc3\n", Options::default());
        assert_eq!(stats.invalid_bytes, 2);
        assert_eq!(stats.words, 1);
        assert_eq!(stats.characters, 6);
        assert_eq!(stats.bytes, 8);
        assert_eq!(stats.lines, 1);
    }

    #[test]
    fn reading_time_is_words_by_speed_rounded_up() {
        let text = "word ".repeat(238);
        assert_eq!(of(&text).reading_time_seconds, 60);
        assert_eq!(of("one").reading_time_seconds, 1);
        assert_eq!(
            count(text.as_bytes(), Options { words_per_minute: 119, ..Options::default() }).reading_time_seconds,
            120
        );
    }

    #[test]
    fn a_file_of_random_strings_does_not_fill_the_memory() {
        use std::fmt::Write as _;
        let mut text = String::new();
        for number in 0..crate::vocabulary::DISTINCT_CAP + 10 {
            writeln!(text, "w{number}").unwrap();
        }
        let stats = of(&text);
        assert!(!stats.vocabulary_complete);
        assert_eq!(stats.distinct_words, crate::vocabulary::DISTINCT_CAP as u64);
        assert_eq!(stats.words, crate::vocabulary::DISTINCT_CAP as u64 + 10);
    }
}
