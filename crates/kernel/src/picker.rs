//! Choosing among equals, in turn: endpoints of a remote plugin, providers of an interface.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Chooses among equals, in turn. Any number of threads may ask; none waits.
#[derive(Debug, Default)]
pub struct Picker {
    turn: AtomicUsize,
}

impl Picker {
    /// A picker that begins with the first.
    #[must_use]
    pub const fn new() -> Self {
        Self { turn: AtomicUsize::new(0) }
    }

    /// The next of those that `fit` accepts, as what it made of it; `None` when it accepts none. Each is asked at most
    /// once, beginning with the one whose turn it is.
    pub fn pick<T, R>(&self, among: &[T], fit: impl FnMut(&T) -> Option<R>) -> Option<R> {
        let start = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(among.len())?;
        let (before, after) = among.split_at_checked(start)?;
        after.iter().chain(before).find_map(fit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn() {
        let picker = Picker::new();
        let picked: Vec<u8> = (0..7).filter_map(|_| picker.pick(&[1, 2, 3], |one| Some(*one))).collect();
        assert_eq!(picked, [1, 2, 3, 1, 2, 3, 1]);
    }

    #[test]
    fn who_does_not_fit_is_passed_over() {
        let picker = Picker::new();
        let fits = |one: &u8| (*one != 2).then_some(*one);
        let picked: Vec<u8> = (0..4).filter_map(|_| picker.pick(&[1, 2, 3], fits)).collect();
        assert_eq!(picked, [1, 3, 3, 1]);
        assert_eq!(picker.pick(&[2, 2], fits), None);
        assert_eq!(picker.pick(&[], fits), None);
    }
}
