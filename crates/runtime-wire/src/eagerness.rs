//! How long to look for bytes before sleeping until they come.
//!
//! Waking an idle core takes 12 to 25 µs, several times what a call takes while both sides are awake. So whoever waits
//! looks again for a moment, as long as that has paid lately: up to four times what it took the last time, between 5 and
//! 50 µs. After a look in vain only one wait in 128 looks at all, so that a peer with slow calls, or one that has to share
//! its core with whoever looks, costs 0.4 µs per wait and not 50.

use std::time::{Duration, Instant};

const LEAST: Duration = Duration::from_micros(5);
const MOST: Duration = Duration::from_micros(50);
/// Waits without a look between two that try whether looking pays.
const REST: u8 = 127;

/// What one reader has learned about its peer.
#[derive(Debug, Default)]
pub(crate) struct Eagerness {
    worth: Duration,
    rested: u8,
}

/// One wait's look.
pub(crate) struct Look {
    began: Instant,
    most: Duration,
}

impl Eagerness {
    /// Begins a wait: a look, or `None` where sleeping at once is better.
    pub(crate) fn look(&mut self) -> Option<Look> {
        if self.worth.is_zero() {
            if self.rested < REST {
                self.rested += 1;
                return None;
            }
            self.rested = 0;
            self.worth = MOST;
        }
        Some(Look { began: Instant::now(), most: self.worth })
    }

    /// Something came while looking.
    pub(crate) fn paid(&mut self, look: &Look) {
        self.worth = look.began.elapsed().saturating_mul(4).clamp(LEAST, MOST);
    }

    /// Nothing came.
    pub(crate) fn in_vain(&mut self) {
        self.worth = Duration::ZERO;
    }
}

impl Look {
    /// Whether to look once more.
    pub(crate) fn goes_on(&self) -> bool {
        std::hint::spin_loop();
        self.began.elapsed() < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_stops_when_it_does_not_pay_and_is_tried_again_after_a_while() {
        let mut eagerness = Eagerness::default();
        assert_eq!((0..REST).filter_map(|_| eagerness.look()).count(), 0);
        let look = eagerness.look().unwrap();
        assert_eq!(look.most, MOST);
        eagerness.paid(&look);
        assert!(eagerness.look().unwrap().most >= LEAST);
        eagerness.in_vain();
        assert!(eagerness.look().is_none());
    }
}
