//! Vocabularies: the words that a field may hold.

use super::fault::FaultCode;

/// The words that a field may hold.
#[derive(Debug)]
pub(crate) struct Words {
    /// What such a word is, for messages.
    pub(crate) what: &'static str,
    /// The fault of any other word.
    pub(crate) code: FaultCode,
    /// The words, the usual ones first.
    pub(crate) words: &'static [&'static str],
}
