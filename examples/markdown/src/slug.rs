//! Ids for headings, so that a link can point at them.

use std::collections::HashMap;

/// Makes ids as GitHub does: lower case, letters, digits, `-` and `_` kept, blanks to `-`, everything else dropped;
/// a repeated id gets `-1`, `-2`, …
#[derive(Debug, Default)]
pub(crate) struct Slugs {
    used: HashMap<String, usize>,
}

impl Slugs {
    /// The id of a heading with this text, unlike all before.
    pub(crate) fn next(&mut self, heading: &str) -> String {
        let base = match slug(heading) {
            slug if slug.is_empty() => "section".to_owned(),
            slug => slug,
        };
        let mut candidate = base.clone();
        while self.used.contains_key(&candidate) {
            let repeats = self.used.entry(base.clone()).or_default();
            *repeats += 1;
            candidate = format!("{base}-{repeats}");
        }
        self.used.insert(candidate.clone(), 0);
        candidate
    }
}

fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|c| match c {
            '-' | '_' => Some(c),
            c if c.is_whitespace() => Some('-'),
            c if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_github_makes() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.next("Sample Section"), "sample-section");
        assert_eq!(
            slugs.next("This'll be a Helpful Section About the Greek Letter Θ!"),
            "thisll-be-a-helpful-section-about-the-greek-letter-θ"
        );
        assert_eq!(slugs.next("a_b c--d"), "a_b-c--d");
    }

    #[test]
    fn a_repeated_heading_gets_a_number_that_nobody_has() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.next("x"), "x");
        assert_eq!(slugs.next("x-1"), "x-1");
        assert_eq!(slugs.next("x"), "x-2");
        assert_eq!(slugs.next("x"), "x-3");
        assert_eq!(slugs.next("!!"), "section");
        assert_eq!(slugs.next("??"), "section-1");
    }
}
