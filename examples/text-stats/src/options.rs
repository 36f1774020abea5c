//! What an operator may choose.

use serde::Deserialize;

/// The plugin's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How many of the most frequent words are listed, at most 1,000.
    pub top: usize,
    /// Reading speed in words per minute, at least 1.
    pub words_per_minute: u32,
}

impl Default for Options {
    /// 238 words per minute is the mean of silent reading of English non-fiction (Brysbaert 2019).
    fn default() -> Self {
        Self { top: 10, words_per_minute: 238 }
    }
}

impl Options {
    /// What is wrong with the values, if anything, for people.
    ///
    /// # Errors
    /// The first value out of its range, with the range.
    pub fn check(self) -> Result<Self, String> {
        if self.top > 1000 {
            return Err(format!("top is {}, at most 1000 words can be listed", self.top));
        }
        if self.words_per_minute == 0 {
            return Err("words_per_minute is 0, it must be at least 1".to_owned());
        }
        Ok(self)
    }
}
