//! Waiting on this thread for something that can be stopped from another.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_lite::future::{block_on, or};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::Interrupt;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// Stops what one instance is waiting for. Dropping the request tells the service to stop as well.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    waiting: Mutex<Option<Arc<Notify>>>,
}

impl Stop {
    /// Waits on this thread until the future is done, the deadline has passed or somebody interrupts.
    pub(crate) fn wait<T>(
        &self,
        engine: &Handle,
        deadline: Instant,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let stopped = Arc::new(Notify::new());
        self.set(Some(Arc::clone(&stopped)));
        let late = {
            let _on_engine = engine.enter();
            tokio::time::sleep_until(deadline.into())
        };
        let cancelled = async {
            stopped.notified().await;
            Err(Error::new(Code::Cancelled, "the call was stopped").remedy("call again if the answer is still wanted"))
        };
        let late = async {
            late.await;
            Err(Error::new(Code::DeadlineExceeded, "the deadline passed before the service had answered")
                .remedy("allow more time, or find out what keeps the service"))
        };
        let done = block_on(or(future, or(cancelled, late)));
        self.set(None);
        done
    }

    fn set(&self, waiting: Option<Arc<Notify>>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }
}

impl Interrupt for Stop {
    fn interrupt(&self) {
        if let Some(waiting) = &*self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            waiting.notify_one();
        }
    }
}
