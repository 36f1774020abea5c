//! How fast a publisher may publish.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use midplane_contract::{Code, Error, Result};

/// So many events in a second on average, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
    burst: u32,
}

impl Rate {
    /// At most so many in a second, at least 1, and that many at once after a pause.
    #[must_use]
    pub fn per_second(events: u32) -> Self {
        Self { per_second: events.max(1), burst: events.max(1) }
    }

    /// At most so many at once after a pause, at least 1.
    #[must_use]
    pub fn burst(mut self, events: u32) -> Self {
        self.burst = events.max(1);
        self
    }
}

/// What is kept of one sender.
#[derive(Default)]
pub(crate) struct Sender {
    limited: AtomicBool,
    bucket: Mutex<Option<Bucket>>,
    /// Events that were refused.
    pub(crate) refused: AtomicU64,
}

struct Bucket {
    rate: Rate,
    tokens: f64,
    filled: Instant,
}

impl Sender {
    /// Sets the limit, or takes it away.
    pub(crate) fn limit(&self, rate: Option<Rate>) {
        let bucket = rate.map(|rate| Bucket { rate, tokens: f64::from(rate.burst), filled: Instant::now() });
        self.limited.store(bucket.is_some(), Ordering::Release);
        *self.bucket() = bucket;
    }

    /// Counts one event against the limit.
    ///
    /// # Errors
    /// `limit_exceeded` with `which: events_per_second`.
    #[inline]
    pub(crate) fn pass(&self, sender: &str) -> Result<()> {
        if self.limited.load(Ordering::Relaxed) { self.take(sender, Instant::now()) } else { Ok(()) }
    }

    #[cold]
    fn take(&self, sender: &str, now: Instant) -> Result<()> {
        let mut bucket = self.bucket();
        let Some(Bucket { rate, tokens, filled }) = bucket.as_mut() else { return Ok(()) };
        let passed = now.saturating_duration_since(*filled).as_secs_f64();
        *filled = now;
        *tokens = (*tokens + passed * f64::from(rate.per_second)).min(f64::from(rate.burst));
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let message = format!("`{sender}` publishes faster than the {} events a second it may", rate.per_second);
        Err(Error::new(Code::LimitExceeded, message)
            .remedy("publish less often, or raise the sender's rate")
            .recoverable(true)
            .with("which", "events_per_second")
            .with("limit", rate.per_second))
    }

    fn bucket(&self) -> MutexGuard<'_, Option<Bucket>> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_what_its_rate_fills() {
        let sender = Sender::default();
        assert!((0..100).all(|_| sender.pass("p").is_ok()));
        sender.limit(Some(Rate::per_second(10).burst(3)));
        let start = Instant::now();
        let passes = |at: Duration| sender.take("p", start + at).is_ok();
        assert_eq!([0, 0, 0, 0].map(|at| passes(Duration::from_millis(at))), [true, true, true, false]);
        assert!(passes(Duration::from_millis(150)));
        assert!(!passes(Duration::from_millis(160)));
        assert_eq!(sender.refused.load(Ordering::Relaxed), 2);
        sender.limit(None);
        assert!(sender.pass("p").is_ok());
    }
}
