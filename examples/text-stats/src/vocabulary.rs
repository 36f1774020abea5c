//! How often each word occurs.

use std::collections::HashMap;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

/// Different words that are told apart. Beyond that, only those seen before are counted on: a file of random
/// strings must not fill the memory.
pub const DISTINCT_CAP: usize = 200_000;

/// Longest word that is counted by itself, in bytes; longer ones are hardly words.
const WORD_CAP: usize = 64;

/// A word and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequency {
    /// The word, in lower case.
    pub word: String,
    /// Its occurrences.
    pub count: u64,
}

/// Counts words as Unicode Standard Annex 29 finds them, without regard to case.
#[derive(Debug, Default)]
pub struct Vocabulary {
    counts: HashMap<String, u64>,
    overflowed: bool,
}

impl Vocabulary {
    /// Counts the words of a piece of text.
    pub fn read(&mut self, text: &str) {
        for word in text.unicode_words().filter(|word| word.len() <= WORD_CAP) {
            let word = word.to_lowercase();
            if let Some(count) = self.counts.get_mut(&word) {
                *count += 1;
            } else if self.counts.len() < DISTINCT_CAP {
                self.counts.insert(word, 1);
            } else {
                self.overflowed = true;
            }
        }
    }

    /// Different words seen, up to [`DISTINCT_CAP`].
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Whether every word was counted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.overflowed
    }

    /// The `top` most frequent words, the more frequent first, then by alphabet.
    #[must_use]
    pub fn most_frequent(self, top: usize) -> Vec<Frequency> {
        let mut words: Vec<_> = self.counts.into_iter().map(|(word, count)| Frequency { word, count }).collect();
        words.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
        words.truncate(top);
        words
    }
}
