//! What was read in this process, to be starred out.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use serde_json::Value;

use super::STARS;

/// Shorter ones are not masked: too much that is no secret would be.
const SHORTEST: usize = 4;
/// Shorter lines of longer secrets are not.
const SHORTEST_LINE: usize = 8;
/// Lines of one secret at most.
const LINES: usize = 256;
/// Texts remembered; in a process with more they are renewed again and again, and the oldest have no use any longer.
const REMEMBERED: usize = 2048;

/// Only ever grows to its bound: an old secret may still stand in a text.
static KNOWN: RwLock<Known> = RwLock::new(Known { texts: Vec::new(), read: 0 });

struct Known {
    /// With the number of the reading, the longest first: a secret that holds another one is masked whole.
    texts: Vec<(u64, String)>,
    read: u64,
}

fn known() -> RwLockReadGuard<'static, Known> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn is_empty() -> bool {
    known().texts.is_empty()
}

pub(super) fn mask(text: &str) -> Cow<'_, str> {
    known().texts.iter().fold(Cow::Borrowed(text), |text, (_, secret)| match text.contains(secret.as_str()) {
        true => Cow::Owned(text.replace(secret.as_str(), STARS)),
        false => text,
    })
}

/// Remembers a secret, its lines, and all of them as JSON writes them.
pub(super) fn remember(secret: &str) {
    let lines = secret.lines().filter(|_| secret.contains('\n'));
    let lines = lines.map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).take(LINES);
    let whole = Some(secret).filter(|secret| secret.len() >= SHORTEST);
    let mut texts = Vec::new();
    for text in whole.into_iter().chain(lines) {
        let json = Value::from(text).to_string();
        let escaped = json.get(1..json.len() - 1).filter(|escaped| *escaped != text).map(str::to_owned);
        texts.extend(std::iter::once(text.to_owned()).chain(escaped));
    }
    let all_known = texts.iter().all(|text| known().texts.iter().any(|(_, known)| known == text));
    if !all_known {
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).add(texts, REMEMBERED);
    }
}

impl Known {
    /// The oldest go where there would be more than `most`.
    fn add(&mut self, texts: Vec<String>, most: usize) {
        self.read += 1;
        self.texts.retain(|(_, known)| !texts.contains(known));
        self.texts.extend(texts.into_iter().map(|text| (self.read, text)));
        if self.texts.len() > most {
            self.texts.sort_by_key(|(read, _)| std::cmp::Reverse(*read));
            self.texts.truncate(most);
        }
        self.texts.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_secret_is_masked_by_itself() {
        remember("-----BEGIN KEY 4b1d-----\r\n  hidden-7f3a-\"one\"\r\nhidden-7f3a-two\n}");
        assert_eq!(mask("log: hidden-7f3a-\"one\"!"), "log: ******!");
        assert_eq!(mask("json: hidden-7f3a-\\\"one\\\"!"), "json: ******!");
        assert_eq!(mask("a {hidden-7f3a-two} b"), "a {******} b");
        assert_eq!(mask("-----BEGIN KEY 4b1d-----"), STARS);
    }

    #[test]
    fn the_oldest_are_forgotten_first_and_not_the_longest() {
        let mut known = Known { texts: Vec::new(), read: 0 };
        for text in ["first-but-short", "second", "third-and-the-longest-of-all"] {
            known.add(vec![text.to_owned()], 2);
        }
        let texts: Vec<&str> = known.texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["third-and-the-longest-of-all", "second"]);
    }
}
