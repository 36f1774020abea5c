//! Where work is done: futures that nobody waits for on one thread, which must never block, and what may block on as many as
//! it takes.

use std::future::{self, Future};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Does work that waits for other work on a thread of its own.
///
/// CONCURRENCY: the pool for work that may block has 500 threads at most. What waits there for other work of the pool, hooks
/// for example, would wait for ever once all of them do.
pub(crate) fn apart<W: FnOnce() + Send + 'static>(work: W) {
    let (sender, receiver) = channel::<W>();
    let wait = move || {
        if let Ok(work) = receiver.recv() {
            work();
        }
    };
    match thread::Builder::new().name("midplane-apart".into()).spawn(wait) {
        // It waits for just this.
        Ok(_) => _ = sender.send(work),
        Err(_) => blocking::unblock(work).detach(),
    }
}

/// Does work of plugins on a thread of the pool, or, while many of these are taken, on one of its own: those that are
/// taken may all wait for just this work.
pub(crate) fn threaded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> BoxFuture<'static, T> {
    if TAKEN.load(Ordering::Relaxed) < MANY {
        let taken = Taken::take();
        return Box::pin(blocking::unblock(move || {
            let _until_it_is_done = taken;
            work()
        }));
    }
    let (sender, receiver) = async_channel::bounded(1);
    apart(move || _ = sender.try_send(catch_unwind(AssertUnwindSafe(work))));
    Box::pin(async move {
        match receiver.recv().await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            // Its thread cannot end without a word.
            Err(_) => future::pending().await,
        }
    })
}

/// Threads of the pool that plugins' work has just now, or stands in line for: it is first come, first served.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Half of those that there can be.
const MANY: usize = 250;

struct Taken;

impl Taken {
    fn take() -> Self {
        TAKEN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
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
    use std::sync::Barrier;

    use futures_lite::future::{block_on, yield_now};

    use super::*;

    #[test]
    fn work_apart_from_the_pool_can_wait_for_work_in_it_however_much_there_is() {
        const MORE_THAN_THE_POOL_HAS: usize = 600;
        let (barrier, (sender, receiver)) = (Arc::new(Barrier::new(MORE_THAN_THE_POOL_HAS)), channel());
        for _ in 0..MORE_THAN_THE_POOL_HAS {
            let (barrier, sender) = (Arc::clone(&barrier), sender.clone());
            apart(move || {
                barrier.wait();
                sender.send(block_on(blocking::unblock(|| 1_usize))).unwrap();
            });
        }
        drop(sender);
        assert_eq!(receiver.iter().sum::<usize>(), MORE_THAN_THE_POOL_HAS);
    }

    #[test]
    fn work_that_waits_for_work_has_threads_however_much_there_is() {
        let wait = || threaded(|| block_on(threaded(|| 1_usize)));
        let all: Vec<_> = (0..2_000).map(|_| wait()).collect();
        assert_eq!(all.into_iter().map(block_on).sum::<usize>(), 2_000);
        let panics = catch_unwind(AssertUnwindSafe(|| block_on(threaded(|| panic!("on purpose")))));
        assert!(panics.is_err());
    }

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
