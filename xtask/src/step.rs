//! Says what a long step is doing, and how long it took. On stderr, so that results on stdout stay by themselves.

use std::time::{Duration, Instant};

/// A step under way.
#[derive(Debug)]
pub struct Step {
    what: String,
    began: Instant,
}

impl Step {
    /// Announces a step: what is done, then what for or how long it tends to take.
    #[must_use]
    pub fn begin(what: &str, why: &str) -> Self {
        eprintln!("\n==> {what}: {why}");
        Self { what: what.to_owned(), began: Instant::now() }
    }

    /// Says that the step is over and what it took.
    pub fn done(self) {
        eprintln!("<== {}: {}", self.what, spent(self.began.elapsed()));
    }
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 20 s`.
#[must_use]
pub fn spent(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
