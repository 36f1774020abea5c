//! What is logged of those who are not let in: whoever can dial can be refused without end.

use midplane_contract::defaults;
use midplane_kernel::{Allowance, Throttle};
use tracing::Level;

/// Counts refusals of which too many come in a second, and says how many they were.
pub(crate) struct Refusals(Throttle);

impl Default for Refusals {
    fn default() -> Self {
        let allowance = Allowance { lines: defaults::LOGGED_REFUSALS, bytes: defaults::LOG_BYTES };
        Self(Throttle::new(allowance, |count, _| tracing::warn!(count, "more connections were refused")))
    }
}

impl Refusals {
    /// Whether one more refusal is to be logged; it is counted otherwise.
    pub(crate) fn is_next_logged(&self) -> bool {
        self.0.admits(Level::WARN, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_without_end_are_not_all_logged() {
        let refusals = Refusals::default();
        assert!(refusals.is_next_logged());
        // As many as no machine holds apart by a second each.
        assert!((0..10_000).any(|_| !refusals.is_next_logged()));
    }
}
