//! Glob patterns whose matching takes bounded time: of permissions and routes.
//!
//! `*` is any characters but `/`, `**` any characters, `?` one character but `/`; anything else is itself.

/// Wildcards in one pattern at most.
const WILDCARDS: usize = 32;

/// A pattern with at most 32 wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Piece {
    /// This character.
    Exactly(char),
    /// One character but `/`.
    One,
    /// Any characters but `/`.
    Some,
    /// Any characters.
    All,
}

impl Glob {
    /// Reads a pattern; `None` when it has more wildcards than allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        for c in text.chars() {
            let last = pieces.last().copied();
            match (c, last) {
                ('*', Some(Piece::Some | Piece::All)) => {
                    pieces.pop();
                    pieces.push(Piece::All);
                }
                ('*', _) => pieces.push(Piece::Some),
                ('?', _) => pieces.push(Piece::One),
                (c, _) => pieces.push(Piece::Exactly(c)),
            }
        }
        let wildcards = pieces.iter().filter(|piece| !matches!(piece, Piece::Exactly(_))).count();
        (wildcards <= WILDCARDS).then_some(Self(pieces))
    }

    /// Whether the whole text fits.
    ///
    /// Walks the text once and keeps the set of places in the pattern that can be reached: pattern × text steps at
    /// most, whatever the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let mut reached = vec![false; self.0.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        self.skip_empty_stars(&mut reached);
        for c in text.chars() {
            let mut next = vec![false; reached.len()];
            let mut alive = false;
            for (at, piece) in self.0.iter().enumerate() {
                if !reached.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let goes_to = match piece {
                    Piece::Exactly(wanted) => (*wanted == c).then_some(at + 1),
                    Piece::One => (c != '/').then_some(at + 1),
                    Piece::Some => (c != '/').then_some(at),
                    Piece::All => Some(at),
                };
                if let Some(place) = goes_to.and_then(|to| next.get_mut(to)) {
                    *place = true;
                    alive = true;
                }
            }
            if !alive {
                return false;
            }
            self.skip_empty_stars(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }

    /// A star may stand for nothing: what reaches it reaches what is behind it.
    fn skip_empty_stars(&self, reached: &mut [bool]) {
        for (at, piece) in self.0.iter().enumerate() {
            if matches!(piece, Piece::Some | Piece::All)
                && reached.get(at).copied().unwrap_or(false)
                && let Some(behind) = reached.get_mut(at + 1)
            {
                *behind = true;
            }
        }
    }
}
