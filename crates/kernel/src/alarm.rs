//! Deadlines, kept by a thread of their own: a guest that blocks every executor thread cannot hold them up.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// The deadline passed before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elapsed;

/// Waits for a future until an instant. Dropping it drops the future.
pub(crate) fn until<F: Future>(deadline: Instant, future: F) -> Until<F> {
    Until { alarm: Alarm::at(deadline), future: Box::pin(future) }
}

/// See [`until`].
pub(crate) struct Until<F> {
    alarm: Alarm,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Until<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The future goes first: a result that is there counts, even when it came late.
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut self.alarm).poll(context).map(|()| Err(Elapsed))
    }
}

/// Has the thread that keeps deadlines wake this task once.
///
/// CONCURRENCY: while a library's constructor runs, the system's loader is locked, and a thread that uses something of its
/// own with a destructor for the first time waits for it; the wakers of executors are such things. A deadline for opening a
/// library would never be kept by a thread that has never woken this executor.
pub(crate) async fn rehearse() {
    Alarm::at(Instant::now() + Duration::from_micros(50)).await;
}

/// Ready once its instant has passed.
pub(crate) struct Alarm {
    at: Instant,
    number: Option<u64>,
}

impl Alarm {
    pub(crate) fn at(at: Instant) -> Self {
        Self { at, number: None }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let clock = &*CLOCK;
        let mut pending = clock.lock();
        let number = *self.number.get_or_insert_with(|| {
            pending.numbers += 1;
            pending.numbers
        });
        let earliest = pending.wakers.first_key_value().is_none_or(|(key, _)| self.at < key.0);
        pending.wakers.insert((self.at, number), context.waker().clone());
        drop(pending);
        if earliest {
            clock.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            CLOCK.lock().wakers.remove(&(self.at, number));
        }
    }
}

static CLOCK: LazyLock<Arc<Clock>> = LazyLock::new(Clock::start);

#[derive(Default)]
struct Clock {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    wakers: BTreeMap<(Instant, u64), Waker>,
    numbers: u64,
}

impl Clock {
    fn start() -> Arc<Self> {
        let clock = Arc::new(Self::default());
        let ticking = Arc::clone(&clock);
        let thread = thread::Builder::new().name("midplane-deadlines".into()).spawn(move || ticking.run());
        if let Err(error) = thread {
            // Without threads nothing else of the host works either; say it once, calls still end by themselves.
            tracing::error!(%error, "the deadline thread could not be started: deadlines will not be kept");
        }
        clock
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut pending = self.lock();
        loop {
            let now = Instant::now();
            let mut due = Vec::new();
            while let Some(entry) = pending.wakers.first_entry() {
                if entry.key().0 > now {
                    break;
                }
                due.push(entry.remove());
            }
            if !due.is_empty() {
                // Wakers run foreign code: never under the lock.
                drop(pending);
                due.into_iter().for_each(Waker::wake);
                pending = self.lock();
                continue;
            }
            let next = pending.wakers.first_key_value().map(|(key, _)| key.0);
            pending = match next {
                Some(at) => {
                    let wait = at.saturating_duration_since(now);
                    self.changed.wait_timeout(pending, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_lite::future::{block_on, pending, ready};

    use super::*;

    #[test]
    fn a_ready_future_wins_even_after_its_deadline() {
        assert_eq!(block_on(until(Instant::now(), ready(7))), Ok(7));
    }

    #[test]
    fn alarms_ring_in_the_order_of_their_instants() {
        let start = Instant::now();
        let late = thread::spawn(move || {
            block_on(Alarm::at(start + Duration::from_millis(40)));
            Instant::now()
        });
        let early = thread::spawn(move || {
            block_on(Alarm::at(start + Duration::from_millis(5)));
            Instant::now()
        });
        let (late, early) = (late.join().unwrap(), early.join().unwrap());
        assert!(early >= start + Duration::from_millis(5));
        assert!(late >= start + Duration::from_millis(40));
    }

    #[test]
    fn what_never_ends_is_ended() {
        let end = until(Instant::now() + Duration::from_millis(5), pending::<()>());
        assert_eq!(block_on(end), Err(Elapsed));
    }
}
