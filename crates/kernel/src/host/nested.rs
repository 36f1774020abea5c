//! What an instance waits for in others: calls, services, requests. It ends when whoever asked the instance has gone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_channel::Sender;
use futures_lite::future::{block_on, or};
use midplane_contract::{Code, Error, Result};

/// What one instance waits for just now.
#[derive(Default)]
pub(crate) struct Nested(Mutex<Waits>);

#[derive(Default)]
struct Waits {
    next: u64,
    /// What ends a wait when it is dropped.
    under_way: BTreeMap<u64, Sender<()>>,
}

/// One wait; forgotten when it goes.
struct Wait<'a> {
    of: &'a Nested,
    number: u64,
}

impl Nested {
    /// Waits on this thread. What is waited for is dropped with the interruption, which cancels it in its turn.
    ///
    /// # Errors
    /// Its own, and `cancelled`.
    pub(super) fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (sender, stop) = async_channel::bounded(1);
        let _wait = self.begin(sender);
        let given_up = async {
            let _ = stop.recv().await;
            Err(Error::new(Code::Cancelled, "nobody waits for the call any longer"))
        };
        block_on(or(work, given_up))
    }

    /// Ends all that the instance waits for.
    pub(super) fn interrupt(&self) {
        let ended = std::mem::take(&mut self.lock().under_way);
        // Wakers run foreign code: never under the lock.
        drop(ended);
    }

    fn begin(&self, sender: Sender<()>) -> Wait<'_> {
        let mut waits = self.lock();
        waits.next += 1;
        let number = waits.next;
        waits.under_way.insert(number, sender);
        Wait { of: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.of.lock().under_way.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures_lite::future::pending;

    use super::*;

    #[test]
    fn what_is_waited_for_ends_with_the_interruption_and_the_next_is_left_alone() {
        let nested = Nested::default();
        nested.interrupt();
        assert_eq!(nested.wait(async { Ok(7) }).unwrap(), 7);
        let under_way = || nested.lock().under_way.len();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| nested.wait(pending::<Result<()>>()));
            while under_way() == 0 {
                thread::yield_now();
            }
            nested.interrupt();
            assert_eq!(waiting.join().unwrap().unwrap_err().code(), Code::Cancelled);
        });
        assert_eq!(nested.wait(async { Ok(8) }).unwrap(), 8);
        assert_eq!(under_way(), 0);
    }
}
