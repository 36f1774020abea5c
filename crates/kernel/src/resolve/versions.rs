//! A set of versions of one plugin, by their positions among those that exist: one bit each. A range is asked once which
//! of them it takes, so that the rule for pre-releases is the range's own, and intersecting is one instruction.

use std::fmt;

/// Versions by position. Positions beyond those written are all in it or all not.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Versions {
    low: u64,
    /// Positions from 64 on. Ends with a word that differs from `rest`, so that equal sets are written alike.
    more: Vec<u64>,
    rest: bool,
}

impl Versions {
    pub(super) fn none() -> Self {
        Self { low: 0, more: Vec::new(), rest: false }
    }

    pub(super) fn insert(&mut self, position: u32) {
        let (word, bit) = (position as usize / 64, 1 << (position % 64));
        if word == 0 {
            self.low |= bit;
            return;
        }
        let fill = self.fill();
        while self.more.len() < word {
            self.more.push(fill);
        }
        if let Some(found) = self.more.get_mut(word - 1) {
            *found |= bit;
        }
        self.trim();
    }

    pub(super) fn only(position: u32) -> Self {
        let mut one = Self::none();
        one.insert(position);
        one
    }

    pub(super) fn has(&self, position: u32) -> bool {
        self.word(position as usize / 64) >> (position % 64) & 1 == 1
    }

    /// Whether nothing is in it.
    pub(super) fn is_none(&self) -> bool {
        self.low == 0 && self.more.is_empty() && !self.rest
    }

    /// How many are in it, of those that are written.
    pub(super) fn count(&self) -> u32 {
        self.low.count_ones() + self.more.iter().map(|word| word.count_ones()).sum::<u32>()
    }

    pub(super) fn both(&self, other: &Self) -> Self {
        self.with(other, |one, two| one & two, self.rest && other.rest)
    }

    pub(super) fn either(&self, other: &Self) -> Self {
        self.with(other, |one, two| one | two, self.rest || other.rest)
    }

    /// The positions below a length, lowest first.
    pub(super) fn positions(&self, length: usize) -> impl DoubleEndedIterator<Item = u32> + '_ {
        (0..u32::try_from(length).unwrap_or(u32::MAX)).filter(|position| self.has(*position))
    }

    fn with(&self, other: &Self, act: impl Fn(u64, u64) -> u64, rest: bool) -> Self {
        let words = self.more.len().max(other.more.len());
        let more = (1..=words).map(|at| act(self.word(at), other.word(at))).collect();
        let mut made = Self { low: act(self.low, other.low), more, rest };
        made.trim();
        made
    }

    fn word(&self, at: usize) -> u64 {
        match at {
            0 => self.low,
            _ => self.more.get(at - 1).copied().unwrap_or_else(|| self.fill()),
        }
    }

    fn fill(&self) -> u64 {
        if self.rest { u64::MAX } else { 0 }
    }

    fn trim(&mut self) {
        let fill = self.fill();
        while self.more.last() == Some(&fill) {
            self.more.pop();
        }
    }
}

impl pubgrub::VersionSet for Versions {
    type V = u32;

    fn empty() -> Self {
        Self::none()
    }

    fn full() -> Self {
        Self { low: u64::MAX, more: Vec::new(), rest: true }
    }

    fn singleton(position: u32) -> Self {
        Self::only(position)
    }

    fn complement(&self) -> Self {
        // What differs from its filling still does when both are turned over.
        Self { low: !self.low, more: self.more.iter().map(|word| !word).collect(), rest: !self.rest }
    }

    fn intersection(&self, other: &Self) -> Self {
        self.both(other)
    }

    fn union(&self, other: &Self) -> Self {
        self.either(other)
    }

    fn contains(&self, position: &u32) -> bool {
        self.has(*position)
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        if self.more.is_empty() && other.more.is_empty() {
            return self.low & other.low == 0 && !(self.rest && other.rest);
        }
        self.both(other).is_none()
    }

    fn subset_of(&self, other: &Self) -> bool {
        if self.more.is_empty() && other.more.is_empty() {
            return self.low & !other.low == 0 && (other.rest || !self.rest);
        }
        *self == self.both(other)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:b}{}", self.low, if self.rest { "…" } else { "" })
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use pubgrub::VersionSet;

    use super::*;

    fn of(positions: &[u32]) -> Versions {
        let mut set = Versions::none();
        positions.iter().for_each(|position| set.insert(*position));
        set
    }

    /// Every law is checked by membership, over positions in the first word, the next ones, and beyond all of them.
    #[test]
    fn sets_follow_the_laws_of_sets_and_are_written_in_one_way() {
        let sets = [of(&[]), of(&[0]), of(&[3, 63, 64]), of(&[64, 200]), of(&[5, 200, 201]), of(&[3, 5, 64])];
        let all: Vec<Versions> = sets.iter().flat_map(|set| [set.clone(), set.complement()]).collect();
        let positions = [0, 1, 3, 5, 62, 63, 64, 65, 127, 128, 200, 201, 202, 1000];
        for one in &all {
            assert_eq!(one.complement().complement(), *one);
            for two in &all {
                let (both, either) = (one.intersection(two), one.union(two));
                for at in positions {
                    assert_eq!(both.has(at), one.has(at) && two.has(at));
                    assert_eq!(either.has(at), one.has(at) || two.has(at));
                }
                assert_eq!(both.complement(), one.complement().union(&two.complement()));
                assert_eq!(one.is_disjoint(two), both == Versions::empty());
                assert_eq!(one.subset_of(two), both == *one);
            }
            assert_eq!(one.union(&one.complement()), Versions::full());
            assert_eq!(one.intersection(&one.complement()), Versions::empty());
        }
    }
}
