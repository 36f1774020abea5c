//! Counts what is in a text: lines, words, characters, bytes, the longest line, frequent words, time to read it.
//!
//! [`count`] is the whole logic; `plugin` offers it to a host as the action `count`.

mod options;
mod plugin;
mod stats;
mod vocabulary;

pub use options::Options;
pub use plugin::TextStats;
pub use stats::{LongestLine, Stats, count};
pub use vocabulary::{DISTINCT_CAP, Frequency, Vocabulary};

midplane_sdk::plugin!(TextStats);
