//! Who waits for a lane: first come, first served.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::barrier;

/// The waiting callers of one generation.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: AtomicUsize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    entries: VecDeque<Entry>,
    numbers: u64,
}

struct Entry {
    number: u64,
    side: Side,
    notified: bool,
    waker: Option<Waker>,
}

/// The queue is as long as it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Where a newcomer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Behind all others: callers.
    Back,
    /// Before all others: whoever closes the plugin.
    Front,
}

impl Queue {
    /// Whether nobody waits. One plain load: callers ask this before they take a lane without queueing.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes a place. After this returns, everybody who leaves a lane sees that somebody waits.
    pub(crate) fn join(&self, side: Side, most: usize) -> Result<Ticket<'_>, Full> {
        let mut line = self.lock();
        if side == Side::Back && line.entries.len() >= most {
            return Err(Full);
        }
        line.numbers += 1;
        let entry = Entry { number: line.numbers, side, notified: false, waker: None };
        let number = entry.number;
        match side {
            Side::Back => line.entries.push_back(entry),
            Side::Front => line.entries.push_front(entry),
        }
        let first = self.waiting.fetch_add(1, Ordering::SeqCst) == 0;
        drop(line);
        if first {
            barrier::heavy();
            // Others may have come while the barrier passed, and looked too early: whoever stands first looks again.
            self.wake_one();
        }
        Ok(Ticket { queue: self, number })
    }

    /// Called after a lane has become free, and cheap when nobody waits.
    #[inline]
    pub(crate) fn lane_freed(&self) {
        barrier::light();
        if !self.is_empty() {
            self.wake_one();
        }
    }

    /// Wakes the first who has not been woken yet.
    #[cold]
    pub(crate) fn wake_one(&self) {
        self.wake_first(|_| true);
    }

    /// Wakes the first of some who has not been woken yet.
    fn wake_first(&self, mut among: impl FnMut(&Entry) -> bool) {
        let mut line = self.lock();
        let next = line.entries.iter_mut().find(|entry| among(entry) && !entry.notified);
        let waker = next.and_then(|entry| {
            entry.notified = true;
            entry.waker.take()
        });
        drop(line);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes everybody: the generation ends, or its state changed.
    pub(crate) fn wake_all(&self) {
        let mut line = self.lock();
        let wakers: Vec<Waker> = line
            .entries
            .iter_mut()
            .filter_map(|entry| {
                entry.notified = true;
                entry.waker.take()
            })
            .collect();
        drop(line);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue; dropping it leaves the queue and lets the next one try.
pub(crate) struct Ticket<'q> {
    queue: &'q Queue,
    number: u64,
}

impl Ticket<'_> {
    /// Whether fewer callers stand before this one than there are lanes: then a lane that is free is its to take.
    /// Somebody further behind may have been woken for a lane that those before it have not come to take yet.
    pub(crate) fn may_take(&self, lanes: usize) -> bool {
        let line = self.queue.lock();
        let mut callers = line.entries.iter().filter(|entry| entry.side == Side::Back);
        callers.position(|entry| entry.number == self.number).is_some_and(|before| before < lanes)
    }

    /// Hands a wake-up that is of no use here to the next in line.
    pub(crate) fn pass_on(&self) {
        let mut behind = false;
        self.queue.wake_first(|entry| {
            let follows = behind;
            behind |= entry.number == self.number;
            follows
        });
    }

    /// Waits to be woken. Forgets earlier wake-ups as it returns, so look for a lane after it, not before.
    pub(crate) async fn woken(&self) {
        poll_fn(|context| {
            let mut line = self.queue.lock();
            match line.entries.iter_mut().find(|entry| entry.number == self.number) {
                Some(entry) if !entry.notified => {
                    entry.waker = Some(context.waker().clone());
                    Poll::Pending
                }
                Some(entry) => {
                    entry.notified = false;
                    Poll::Ready(())
                }
                None => Poll::Ready(()),
            }
        })
        .await;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut line = self.queue.lock();
        line.entries.retain(|entry| entry.number != self.number);
        let left = self.queue.waiting.fetch_sub(1, Ordering::SeqCst) - 1;
        drop(line);
        // The place may have been given up with a wake-up in it, or lanes may be free for the next as well.
        if left > 0 {
            self.queue.wake_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn the_first_to_come_is_the_first_to_be_woken() {
        let queue = Queue::default();
        let first = queue.join(Side::Back, 10).unwrap();
        assert!(block_on(poll_once(first.woken())).is_some(), "whoever comes first looks once more");
        let second = queue.join(Side::Back, 10).unwrap();
        queue.lane_freed();
        assert!(block_on(poll_once(second.woken())).is_none());
        assert!(block_on(poll_once(first.woken())).is_some());
        assert!(first.may_take(1) && !second.may_take(1) && second.may_take(2));
    }

    #[test]
    fn a_wake_up_for_another_lane_is_passed_on() {
        let queue = Queue::default();
        let caller = queue.join(Side::Back, 10).unwrap();
        let closer = queue.join(Side::Front, 10).unwrap();
        queue.wake_all();
        assert!(block_on(poll_once(caller.woken())).is_some());
        assert!(block_on(poll_once(closer.woken())).is_some());
        queue.lane_freed();
        assert!(block_on(poll_once(caller.woken())).is_none());
        closer.pass_on();
        assert!(block_on(poll_once(caller.woken())).is_some());
        assert!(caller.may_take(1));
    }

    #[test]
    fn a_wake_up_that_is_given_up_goes_to_the_next() {
        let queue = Queue::default();
        let first = queue.join(Side::Back, 10).unwrap();
        assert!(block_on(poll_once(first.woken())).is_some());
        let second = queue.join(Side::Back, 10).unwrap();
        queue.lane_freed();
        drop(first);
        assert!(block_on(poll_once(second.woken())).is_some());
        drop(second);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_full_queue_refuses_callers_but_not_whoever_closes() {
        let queue = Queue::default();
        let _one = queue.join(Side::Back, 1).unwrap();
        assert!(queue.join(Side::Back, 1).is_err());
        let _closer = queue.join(Side::Front, 1).unwrap();
        assert_eq!(queue.len(), 2);
    }
}
