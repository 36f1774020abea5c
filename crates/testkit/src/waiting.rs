//! Waiting for a condition, never for a duration.

use std::thread;
use std::time::{Duration, Instant};

/// The longest that anything here waits. A working machine needs a fraction; it keeps a broken test from hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at a condition until it holds. `false` when it still does not after [`PATIENCE`].
#[must_use]
pub fn eventually(holds: impl FnMut() -> bool) -> bool {
    eventually_within(PATIENCE, holds)
}

/// The same with less patience, for where the condition is not expected to hold.
pub(crate) fn eventually_within(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
