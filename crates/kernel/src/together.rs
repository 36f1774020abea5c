//! Many futures as one, each polled only when it was woken itself.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Ends when all of them have ended. They run on the caller's thread, each going on while others wait.
pub(crate) fn together<'a>(all: impl IntoIterator<Item = Work<'a>>) -> Together<'a> {
    let parent = Arc::new(Mutex::new(None));
    let one = |work| (work, Arc::new(Bell { rung: AtomicBool::new(true), parent: Arc::clone(&parent) }));
    Together { left: all.into_iter().map(one).collect(), parent }
}

/// See [`together`].
pub(crate) struct Together<'a> {
    left: Vec<(Work<'a>, Arc<Bell>)>,
    parent: Arc<Mutex<Option<Waker>>>,
}

/// Notes which future was woken, and wakes whoever polls them all.
struct Bell {
    rung: AtomicBool,
    parent: Arc<Mutex<Option<Waker>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Wakers run foreign code: never under the lock.
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}

impl Future for Together<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Noted before any bell is looked at: one that rings from then on is heard.
        *self.parent.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        self.left.retain_mut(|(work, bell)| {
            if !bell.rung.swap(false, Ordering::SeqCst) {
                return true;
            }
            let waker = Waker::from(Arc::clone(bell));
            work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        if self.left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, yield_now};

    use super::*;

    #[test]
    fn all_go_on_while_others_wait() {
        let (to, from) = async_channel::bounded(1);
        let (back_to, back) = async_channel::bounded(1);
        let polls = AtomicBool::new(false);
        let one: Work<'_> = Box::pin(async {
            let _ = to.send(1).await;
            assert_eq!(back.recv().await, Ok(2));
            polls.store(true, Ordering::SeqCst);
        });
        let two: Work<'_> = Box::pin(async {
            assert_eq!(from.recv().await, Ok(1));
            yield_now().await;
            let _ = back_to.send(2).await;
        });
        block_on(together([one, two]));
        assert!(polls.load(Ordering::SeqCst));
        block_on(together([]));
    }
}
