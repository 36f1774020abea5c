//! What was asked of an endpoint.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Response times that are kept.
const TIMES: usize = 100;

/// Requests, errors and the latest response times.
#[derive(Debug, Default)]
pub(super) struct Counts {
    requests: AtomicU64,
    errors: AtomicU64,
    times: Mutex<VecDeque<Duration>>,
}

impl Counts {
    pub(super) fn add(&self, time: Duration, failed: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(failed), Ordering::Relaxed);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() == TIMES {
            times.pop_front();
        }
        times.push_back(time);
    }

    /// Requests, errors, and times in milliseconds with three digits, oldest first.
    pub(super) fn shown(&self) -> (u64, u64, Vec<f64>) {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.iter().map(|time| (time.as_secs_f64() * 1e6).round() / 1e3).collect();
        (self.requests.load(Ordering::Relaxed), self.errors.load(Ordering::Relaxed), times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_hundred_times_are_kept() {
        let counts = Counts::default();
        for number in 1..=250 {
            counts.add(Duration::from_millis(number), number % 50 == 0);
        }
        let (requests, errors, times) = counts.shown();
        assert_eq!((requests, errors, times.len()), (250, 5, 100));
        assert_eq!((times.first(), times.last()), (Some(&151.0), Some(&250.0)));
    }
}
