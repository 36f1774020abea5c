//! A publisher's end of the bus: one sender, one topic, the way there looked up once.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_lite::future::block_on;
use midplane_contract::{Code, Error, Result, defaults};

use super::data::Data;
use super::event::{Event, Heading};
use super::rate::Sender;
use super::room::{Pending, settle};
use super::route::{Receipt, Route};
use super::shared::Shared;
use super::subscriber::Subscriber;

/// Publishes on one topic. Takes no lock of the bus and, for callbacks alone, no memory; clone it for each thread.
pub struct Publisher {
    shared: Arc<Shared>,
    heading: Arc<Heading>,
    sender: Arc<Sender>,
    route: Arc<Route>,
    /// An event that nobody kept, to be used again.
    spare: Option<Event>,
    /// The last event that was kept, to be used again if nobody has it any more by then.
    kept: Option<Arc<Event>>,
}

/// Data of a larger event are not held until the next one.
const HELD: usize = 4096;

impl Publisher {
    pub(crate) fn new(shared: Arc<Shared>, heading: Arc<Heading>, sender: Arc<Sender>) -> Result<Self> {
        let route = shared.route(&heading.topic)?;
        Ok(Self { shared, heading, sender, route, spare: None, kept: None })
    }

    /// Publishes. Callbacks run on this thread; where a subscriber blocks its publishers, this thread waits.
    ///
    /// # Errors
    /// `limit_exceeded` for data over 64 MiB, and for a sender that is faster than it may; `depth_exceeded` for callbacks
    /// that publish to each other without end; `not_running` when the host is gone.
    #[inline]
    pub fn publish(&mut self, data: impl Into<Data>) -> Result<Receipt> {
        let Given { mut receipt, waiting, .. } = self.give(data.into())?;
        if let Some((event, pending)) = waiting {
            block_on(settle(&event, pending, &mut receipt));
        }
        Ok(receipt)
    }

    /// [`Publisher::publish`] that waits without holding up its thread.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn send(&mut self, data: impl Into<Data>) -> Result<Receipt> {
        let Given { mut receipt, waiting, .. } = self.give(data.into())?;
        if let Some((event, pending)) = waiting {
            settle(&event, pending, &mut receipt).await;
        }
        Ok(receipt)
    }

    #[inline]
    fn give(&mut self, data: Data) -> Result<Given> {
        let size = check_size(&data)?;
        self.sender.pass(&self.heading.sender)?;
        if self.route.stale.load(Ordering::Acquire) {
            self.route = self.shared.route(&self.heading.topic)?;
        }
        if self.route.has_waiting() {
            let event = self.event_to_keep(data, size);
            let given = give_shared(&self.shared, &self.route, &event, &[], true)?;
            self.kept = (size <= HELD).then_some(event);
            return Ok(given);
        }
        let event = match self.spare.take() {
            Some(mut event) => {
                event.renew(data, size);
                event
            }
            None => Event::new(Arc::clone(&self.heading), data, size),
        };
        let mut given = give(&self.shared, &self.route, event, true)?;
        self.spare = given.unused.take();
        Ok(given)
    }
}

impl Publisher {
    /// An event for those who keep it, in the place of the last one where that is free again.
    #[inline]
    fn event_to_keep(&mut self, data: Data, size: usize) -> Arc<Event> {
        if let Some(mut last) = self.kept.take()
            && let Some(event) = Arc::get_mut(&mut last)
        {
            event.renew(data, size);
            event.stamp();
            return last;
        }
        let mut event = Event::new(Arc::clone(&self.heading), data, size);
        event.stamp();
        Arc::new(event)
    }
}

impl Clone for Publisher {
    fn clone(&self) -> Self {
        let (shared, heading) = (Arc::clone(&self.shared), Arc::clone(&self.heading));
        Self {
            shared,
            heading,
            sender: Arc::clone(&self.sender),
            route: Arc::clone(&self.route),
            spare: None,
            kept: None,
        }
    }
}

/// What is left of an event that was given to everybody.
pub(crate) struct Given {
    pub(crate) receipt: Receipt,
    /// Subscribers that have no room, for whom the publisher waits.
    pub(crate) waiting: Option<(Arc<Event>, Pending)>,
    /// The event, without its data, where nobody keeps it.
    unused: Option<Event>,
}

impl Given {
    pub(crate) fn of(receipt: Receipt, event: &Arc<Event>, pending: Pending) -> Self {
        let waiting = (!pending.is_empty()).then(|| (Arc::clone(event), pending));
        Self { receipt, waiting, unused: None }
    }
}

/// Gives an event to everybody on a route.
#[inline]
pub(crate) fn give(shared: &Shared, route: &Route, mut event: Event, patient: bool) -> Result<Given> {
    let mut receipt = Receipt::default();
    called(shared, route, &event, &mut receipt)?;
    if !route.has_waiting() {
        event.renew(Data::Nothing, 0);
        return Ok(Given { receipt, waiting: None, unused: Some(event) });
    }
    event.stamp();
    let event = Arc::new(event);
    let pending = route.post(&event, patient, &[], &mut receipt);
    Ok(Given::of(receipt, &event, pending))
}

/// [`give`] for an event that is kept by others as well: retained, or for some who get it whatever they subscribed to.
pub(crate) fn give_shared(
    shared: &Shared,
    route: &Route,
    event: &Arc<Event>,
    also: &[Arc<Subscriber>],
    patient: bool,
) -> Result<Given> {
    let mut receipt = Receipt::default();
    called(shared, route, event, &mut receipt)?;
    let pending = route.post(event, patient, also, &mut receipt);
    for subscriber in also {
        receipt.note(subscriber.hand(event, false));
    }
    Ok(Given::of(receipt, event, pending))
}

/// Counts an event, and has the listeners called.
#[inline]
fn called(shared: &Shared, route: &Route, event: &Event, receipt: &mut Receipt) -> Result<()> {
    if route.listeners.is_empty() {
        count(shared, route);
        return Ok(());
    }
    let _deeper = Nesting::enter()?;
    count(shared, route);
    route.call(event, receipt);
    Ok(())
}

#[inline]
fn count(shared: &Shared, route: &Route) {
    let counter = if route.kept { &route.published } else { &shared.other };
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The size of data that is not too large to be sent.
#[inline]
pub(crate) fn check_size(data: &Data) -> Result<usize> {
    let size = data.size();
    if size <= defaults::PAYLOAD_CAP { Ok(size) } else { Err(too_large(size)) }
}

#[cold]
fn too_large(size: usize) -> Error {
    let most = defaults::PAYLOAD_CAP;
    Error::new(Code::LimitExceeded, format!("the event has {size} bytes, more than the {most} allowed"))
        .remedy("send less, or where it can be found")
        .with("which", "payload")
        .with("limit", most)
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One more callback on this thread's stack.
struct Nesting;

impl Nesting {
    #[inline]
    fn enter() -> Result<Self> {
        let depth = DEPTH.get();
        if depth >= defaults::CALL_DEPTH {
            let message = format!("callbacks publish to each other deeper than {}", defaults::CALL_DEPTH);
            return Err(Error::new(Code::DepthExceeded, message)
                .remedy("have one of them subscribe with a queue")
                .with("depth", depth));
        }
        DEPTH.set(depth + 1);
        Ok(Self)
    }
}

impl Drop for Nesting {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}
