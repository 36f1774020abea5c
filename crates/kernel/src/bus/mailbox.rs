//! Where a subscriber's events wait: bounded in number and bytes, with a declared way to overflow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use midplane_contract::defaults;

use super::event::Event;
use super::overflow::{Offer, Overflow, overflowed};
use super::spin::{Held, Spin};
use super::stats::Look;

/// Events that were offered to a subscriber.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All of them.
    pub(crate) offered: u64,
    /// Those that gave way or did not get in.
    pub(crate) dropped: u64,
    /// Those that wait.
    pub(crate) waiting: usize,
}

/// The events of one subscriber.
pub(crate) struct Mailbox {
    state: Spin<State>,
    capacity: AtomicUsize,
    pub(crate) overflow: Overflow,
}

#[derive(Default)]
struct State {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    offered: u64,
    dropped: u64,
    /// Takes no events just now.
    shut: bool,
    /// Will never take any again.
    ended: bool,
    reader: Option<Waker>,
    /// Publishers that wait for room, by their places.
    writers: Vec<(u64, Waker)>,
}

/// Places among those who wait for room, in any mailbox. Counted here and not in each of them: of mailboxes there are
/// many, and what an event passes through is to stay small.
static PLACES: AtomicU64 = AtomicU64::new(0);

impl Mailbox {
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Self {
        Self { state: Spin::default(), capacity: AtomicUsize::new(capacity.max(1)), overflow }
    }

    /// Events that wait at most.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Has another number of events wait at most. Those that wait already stay.
    pub(crate) fn resize(&self, capacity: usize) {
        self.capacity.store(capacity.max(1), Ordering::Relaxed);
    }

    /// Offers an event. With `patient` false nobody waits, whatever the way to overflow says.
    #[inline]
    pub(crate) fn offer(&self, event: &Arc<Event>, patient: bool) -> Offer {
        let mut state = self.state.lock();
        if state.reader.is_none() && state.has_room_for(event, self.capacity()) {
            state.push(event);
            return Offer::Taken;
        }
        self.offer_otherwise(state, event, patient)
    }

    /// Where a reader waits, or there is no room. It stands apart so that the usual way is short: what is written before
    /// a lock is taken makes taking it slower.
    #[cold]
    fn offer_otherwise<'a>(&'a self, mut state: Held<'a, State>, event: &Arc<Event>, patient: bool) -> Offer {
        let mut evicted = 0;
        loop {
            if state.shut || state.ended {
                return Offer::Closed;
            }
            if state.has_room_for(event, self.capacity()) {
                state.push(event);
                let reader = state.reader.take();
                drop(state);
                if let Some(reader) = reader {
                    reader.wake();
                }
                return if evicted == 0 { Offer::Taken } else { Offer::TookThePlace(evicted) };
            }
            match self.overflow {
                Overflow::DropOldest => {
                    let oldest = state.pop();
                    state.dropped += 1;
                    evicted += 1;
                    drop(state);
                    oldest.iter().for_each(|event| event.refuse(overflowed()));
                    state = self.state.lock();
                }
                Overflow::Block(_) if patient => return Offer::Full,
                Overflow::DropNewest | Overflow::Block(_) => {
                    state.offered += 1;
                    state.dropped += 1;
                    return Offer::Dropped;
                }
                Overflow::Disconnect => {
                    state.offered += 1;
                    state.dropped += 1;
                    state.ended = true;
                    let reader = state.reader.take();
                    drop(state);
                    reader.into_iter().for_each(Waker::wake);
                    return Offer::Dropped;
                }
            }
        }
    }

    /// Offers an event as soon as there is room. A place among those who wait is to be left with [`Mailbox::leave`].
    pub(crate) fn poll_offer(
        &self,
        event: &Arc<Event>,
        place: &mut Option<u64>,
        context: &mut Context<'_>,
    ) -> Poll<Offer> {
        match self.offer(event, true) {
            Offer::Full => {}
            done => return Poll::Ready(done),
        }
        // Room may have come between the two looks at it.
        let waker = context.waker().clone();
        let mut state = self.state.lock();
        let place = *place.get_or_insert_with(|| PLACES.fetch_add(1, Ordering::Relaxed));
        let before = match state.writers.iter_mut().find(|(known, _)| *known == place) {
            Some((_, known)) => Some(std::mem::replace(known, waker)),
            None => {
                state.writers.push((place, waker));
                None
            }
        };
        drop(state);
        drop(before);
        match self.offer(event, true) {
            Offer::Full => Poll::Pending,
            done => Poll::Ready(done),
        }
    }

    /// Leaves a place among those who wait for room.
    pub(crate) fn leave(&self, place: u64) {
        let mut state = self.state.lock();
        let known = state.writers.iter().position(|(known, _)| *known == place);
        let gone = known.map(|known| state.writers.swap_remove(known));
        drop(state);
        drop(gone);
    }

    /// Offers an event where there is room for it; otherwise it is not counted, and nothing gives way.
    pub(crate) fn offer_room(&self, event: &Arc<Event>) -> Offer {
        let state = self.state.lock();
        if state.shut || state.ended || state.has_room_for(event, self.capacity()) {
            return self.offer_otherwise(state, event, true);
        }
        Offer::Full
    }

    /// Takes the oldest event.
    #[inline]
    pub(crate) fn take(&self) -> Option<Arc<Event>> {
        let mut state = self.state.lock();
        let event = state.pop();
        if !state.writers.is_empty() {
            let writers = std::mem::take(&mut state.writers);
            drop(state);
            wake(writers);
        }
        event
    }

    /// Takes the oldest event as soon as there is one; `None` when there will be none.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Arc<Event>>> {
        match self.poll_ready(context) {
            Poll::Ready(true) => match self.take() {
                // Another reader was faster.
                None => self.poll_take(context),
                event => Poll::Ready(event),
            },
            Poll::Ready(false) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when an event waits, or, with false, when there will be none.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state.lock();
        if !state.events.is_empty() {
            return Poll::Ready(true);
        }
        if state.ended {
            return Poll::Ready(false);
        }
        let before = match &state.reader {
            Some(known) if known.will_wake(context.waker()) => None,
            _ => state.reader.replace(context.waker().clone()),
        };
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Takes no events until it is opened again; those that wait are dropped and counted.
    pub(crate) fn shut(&self) {
        let mut state = self.state.lock();
        state.shut = true;
        let waiting = state.drop_waiting();
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        drop(waiting);
        wake(writers);
    }

    /// Takes events again.
    pub(crate) fn open(&self) {
        self.state.lock().shut = false;
    }

    /// Ends it: what waits can still be taken.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let (reader, writers) = (state.reader.take(), std::mem::take(&mut state.writers));
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        wake(writers);
    }

    /// Counts an event that a publisher waited in vain to get in.
    pub(crate) fn give_up(&self) {
        let mut state = self.state.lock();
        state.offered += 1;
        state.dropped += 1;
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.state.lock().ended
    }

    pub(crate) fn tally(&self, look: Look) -> Tally {
        let mut state = self.state.lock();
        let tally = Tally { offered: state.offered, dropped: state.dropped, waiting: state.events.len() };
        if look == Look::Zero {
            // What waits may yet give way.
            state.offered = state.events.len() as u64;
            state.dropped = 0;
        }
        tally
    }
}

#[cold]
fn wake(writers: Vec<(u64, Waker)>) {
    writers.into_iter().for_each(|(_, writer)| writer.wake());
}

impl State {
    #[inline]
    fn has_room_for(&self, event: &Event, capacity: usize) -> bool {
        let fits = self.bytes + event.size <= defaults::PAYLOAD_CAP || self.events.is_empty();
        self.events.len() < capacity && fits && !self.shut && !self.ended
    }

    #[inline]
    fn push(&mut self, event: &Arc<Event>) {
        self.offered += 1;
        self.bytes += event.size;
        self.events.push_back(Arc::clone(event));
    }

    #[inline]
    fn pop(&mut self) -> Option<Arc<Event>> {
        let event = self.events.pop_front()?;
        self.bytes -= event.size;
        Some(event)
    }

    /// They are counted as dropped.
    fn drop_waiting(&mut self) -> VecDeque<Arc<Event>> {
        self.dropped += self.events.len() as u64;
        self.bytes = 0;
        std::mem::take(&mut self.events)
    }
}
