//! Futures that nobody waits for, on one thread of their own. They must never block: whatever blocks goes to a thread
//! that may.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;

use crate::runtime::BoxFuture;

/// Runs a future to its end.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let task = Task { future: Mutex::new(Some(Box::pin(future))), queued: AtomicBool::new(true) };
    enqueue(Arc::new(task));
}

struct Task {
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    /// It stands in the line already.
    queued: AtomicBool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            enqueue(self);
        }
    }
}

fn enqueue(task: Arc<Task>) {
    // The other end lives as long as the process, or the thread could not be started, which was said.
    let _ = LINE.send(task);
}

static LINE: LazyLock<Sender<Arc<Task>>> = LazyLock::new(|| {
    let (sender, line) = channel();
    if let Err(error) = thread::Builder::new().name("midplane-events".into()).spawn(move || run(&line)) {
        tracing::error!(%error, "the event thread could not be started: plugins will get no events");
    }
    sender
});

fn run(line: &Receiver<Arc<Task>>) {
    while let Ok(task) = line.recv() {
        // Before the look at it: what happens during the look is worth another one.
        task.queued.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&task));
        let mut future = task.future.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = future.as_mut() else { continue };
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut Context::from_waker(&waker))));
        if !matches!(polled, Ok(std::task::Poll::Pending)) {
            let done = future.take();
            drop(future);
            drop(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::yield_now;

    use super::*;

    #[test]
    fn what_was_spawned_runs_to_its_end_even_beside_one_that_panics() {
        let (sender, receiver) = channel();
        spawn(async { panic!("on purpose") });
        for number in 0..3 {
            let sender = sender.clone();
            spawn(async move {
                yield_now().await;
                sender.send(number).unwrap();
            });
        }
        drop(sender);
        let mut all: Vec<u8> = receiver.iter().collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    }
}
