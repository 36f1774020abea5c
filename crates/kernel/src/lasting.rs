//! Work that goes on when nobody waits for it any longer.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::future::block_on;

use crate::tasks;

/// Makes a future that, once it was polled, runs to its end: dropping it hands the rest to a thread. What has not been
/// polled has not begun, and is simply dropped.
pub(crate) fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> ToItsEnd<T> {
    ToItsEnd { work: Some(Box::pin(work)), begun: false }
}

/// See [`to_its_end`].
pub(crate) struct ToItsEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    begun: bool,
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // A panic in the work has ended it.
        if self.begun
            && !std::thread::panicking()
            && let Some(work) = self.work.take()
        {
            tasks::apart(move || drop(block_on(work)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{poll_once, yield_now};

    use super::*;

    async fn work(done: async_channel::Sender<u8>) {
        yield_now().await;
        let _ = done.send(7).await;
    }

    #[test]
    fn what_was_begun_is_finished_and_what_was_not_is_dropped() {
        let (sender, receiver) = async_channel::bounded(1);
        let mut begun = to_its_end(work(sender.clone()));
        assert!(block_on(poll_once(&mut begun)).is_none());
        drop(begun);
        assert_eq!(block_on(receiver.recv()), Ok(7));
        drop(to_its_end(work(sender)));
        assert!(block_on(receiver.recv()).is_err());
    }
}
