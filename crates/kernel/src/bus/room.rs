//! Waiting for room, where a subscriber asks its publishers to.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::event::Event;
use super::mailbox::Mailbox;
use super::overflow::{Offer, Overflow, overflowed};
use super::route::Receipt;
use super::subscriber::{Sink, Subscriber};
use crate::alarm::until;
use crate::call::Deadline;

/// Those for whose room a publisher has to wait: of each entry the first that has some gets the event.
pub(crate) type Pending = Vec<Vec<Arc<Subscriber>>>;

/// Waits for all of them at once, for each as long as it says: one that is stuck costs the others nothing. Whatever is not
/// in when this is dropped counts as dropped.
pub(crate) async fn settle(event: &Arc<Event>, pending: Pending, receipt: &mut Receipt) {
    let timed = |among: Vec<Arc<Subscriber>>| {
        let longest = among.iter().filter_map(|subscriber| mailbox(subscriber).and_then(time)).max();
        let places = among.into_iter().map(|subscriber| (subscriber, None)).collect();
        until(Deadline::After(longest.unwrap_or_default()).instant(), Room { event, places, done: false })
    };
    let mut rooms: Vec<_> = pending.into_iter().map(timed).collect();
    poll_fn(|context| {
        rooms.retain_mut(|room| match Pin::new(room).poll(context) {
            Poll::Ready(offer) => {
                receipt.note(offer.unwrap_or(Offer::Dropped));
                false
            }
            Poll::Pending => true,
        });
        if rooms.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// An event that is to come in at one of several subscribers.
struct Room<'e> {
    event: &'e Arc<Event>,
    /// With their places among the publishers that wait there.
    places: Vec<(Arc<Subscriber>, Option<u64>)>,
    done: bool,
}

impl Future for Room<'_> {
    type Output = Offer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Offer> {
        let Self { event, places, done } = &mut *self;
        let mut there = false;
        for (subscriber, place) in places {
            let Some(mailbox) = mailbox(subscriber) else { continue };
            match mailbox.poll_offer(event, place, context) {
                Poll::Ready(Offer::Closed) => {}
                Poll::Ready(offer) => {
                    *done = true;
                    return Poll::Ready(offer);
                }
                Poll::Pending => there = true,
            }
        }
        if there {
            return Poll::Pending;
        }
        *done = true;
        Poll::Ready(Offer::Closed)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        for (subscriber, place) in &self.places {
            if let (Some(mailbox), Some(place)) = (mailbox(subscriber), place) {
                mailbox.leave(*place);
            }
        }
        if self.done {
            return;
        }
        if let Some(mailbox) = self.places.first().and_then(|(subscriber, _)| mailbox(subscriber)) {
            mailbox.give_up();
        }
        self.event.refuse(overflowed());
    }
}

fn mailbox(subscriber: &Subscriber) -> Option<&Mailbox> {
    match &subscriber.sink {
        Sink::Mailbox(mailbox) => Some(mailbox),
        Sink::Callback(_) => None,
    }
}

/// How long publishers wait for it.
fn time(mailbox: &Mailbox) -> Option<Duration> {
    match mailbox.overflow {
        Overflow::Block(time) => Some(time),
        Overflow::DropOldest | Overflow::DropNewest | Overflow::Disconnect => None,
    }
}
