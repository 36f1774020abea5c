//! The bus: topics, who subscribes to them, and how events get there. One for the host's own events and those of plugins.
//!
//! Reading order: `topic` (names and patterns) → `event` → `registry` (who subscribes to what) → `route` (who gets the
//! events of one topic) → `publisher` (the way of an event) → `mailbox` (where it waits) → `room` (where its publisher does)
//! → `ask` (requests).

mod ask;
mod clock;
mod data;
mod event;
mod filter;
mod mailbox;
mod message;
mod overflow;
mod publisher;
mod rate;
mod registry;
mod retained;
mod room;
mod route;
mod shared;
mod spin;
mod stats;
mod subscriber;
mod subscription;
mod topic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::future::{self, block_on};
use midplane_contract::Result;

pub use data::Data;
pub use event::Event;
pub use filter::Filter;
pub use message::Message;
pub use overflow::Overflow;
pub use publisher::Publisher;
pub use rate::Rate;
pub use registry::TOPICS;
pub use retained::RETAINED;
pub use route::Receipt;
pub use stats::{Stats, SubscriberStats};
pub use subscriber::Options;
pub use subscription::{Listening, Subscription};
pub use topic::{Pattern, TOPIC_LENGTH, TOPIC_LEVELS, canonical};

pub(crate) use ask::Ask;
pub(crate) use mailbox::Mailbox;
pub(crate) use stats::Look;
pub(crate) use subscriber::{Sink, Subscriber};
pub(crate) use subscription::Registered;
pub(crate) use topic::is_the_hosts;

use event::Heading;
use publisher::{Given, give, give_shared};
use registry::Registry;
use retained::{Judged, Values};
use room::settle;
use shared::Shared;

use crate::call::Deadline;

/// The bus of one kernel. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bus {
    shared: Arc<Shared>,
}

impl Bus {
    /// Publishes as the host itself. Where many events go to one topic, keep a [`Bus::publisher`].
    ///
    /// # Errors
    /// As [`Bus::send`].
    pub fn publish(&self, topic: &str, data: impl Into<Data>) -> Result<Receipt> {
        self.send(Message::new(topic, data))
    }

    /// Publishes a message. Callbacks run on this thread; where a subscriber blocks its publishers, this thread waits.
    ///
    /// # Errors
    /// `invalid_input` for what is no topic, `limit_exceeded` for data over 64 MiB and senders that are too fast,
    /// `depth_exceeded` for callbacks that publish to each other without end, `not_running` when the host is gone.
    pub fn send(&self, message: Message) -> Result<Receipt> {
        self.send_also(message, &[])
    }

    /// [`Bus::send`] to some whatever they subscribed to, and to those who did.
    pub(crate) fn send_also(&self, message: Message, also: &[Arc<Subscriber>]) -> Result<Receipt> {
        let Given { mut receipt, waiting, .. } = self.give(message, also, true)?;
        if let Some((event, pending)) = waiting {
            block_on(settle(&event, pending, &mut receipt));
        }
        Ok(receipt)
    }

    /// [`Bus::send`] that waits without holding up its thread.
    ///
    /// # Errors
    /// As [`Bus::send`].
    pub async fn send_async(&self, message: Message) -> Result<Receipt> {
        let Given { mut receipt, waiting, .. } = self.give(message, &[], true)?;
        if let Some((event, pending)) = waiting {
            settle(&event, pending, &mut receipt).await;
        }
        Ok(receipt)
    }

    /// Publishes an event of the host's own, which waits for nobody.
    pub(crate) fn announce(&self, topic: &str, data: serde_json::Value) {
        if let Err(error) = self.give(Message::new(topic, data), &[], false) {
            tracing::debug!(topic, %error, "an event of the host was not published");
        }
    }

    /// A publisher on one topic. The sender is whoever events are said to come from.
    ///
    /// # Errors
    /// `invalid_input` for what is no topic, `not_running` when the host is gone.
    pub fn publisher(&self, sender: &str, topic: &str) -> Result<Publisher> {
        let topic = canonical(topic);
        topic::check(&topic)?;
        let heading = Heading { topic: topic.as_ref().into(), sender: sender.into(), content_type: None };
        Publisher::new(Arc::clone(&self.shared), Arc::new(heading), self.shared.sender(sender))
    }

    /// Asks whoever subscribes to a topic, and waits for the first answer. A subscriber that takes the request in and has
    /// nothing to say leaves it to the others; when all have, the answer is empty.
    ///
    /// # Errors
    /// `peer_gone` at once when nobody is there, `deadline_exceeded`, `overloaded` when everybody's queue is full, the
    /// subscriber's own when nobody else answers, and those of [`Bus::send`].
    pub async fn request(&self, topic: &str, data: impl Into<Data>, within: Duration) -> Result<Vec<u8>> {
        self.ask(Message::new(topic, data), Deadline::After(within).instant(), None).await
    }

    /// Asks on behalf of somebody.
    pub(crate) async fn ask(
        &self,
        message: Message,
        deadline: Instant,
        caller: Option<Arc<crate::call::Caller>>,
    ) -> Result<Vec<u8>> {
        let (ask, waiting) = ask::ask(deadline, caller);
        let topic = message.topic.clone();
        let Given { mut receipt, waiting: full, .. } = self.give(message.asking(ask), &[], true)?;
        // One that is stuck holds up neither the answer of another nor whoever asks, beyond the deadline.
        let settled = async {
            if let Some((event, pending)) = full {
                settle(&event, pending, &mut receipt).await;
            }
            match receipt {
                Receipt { delivered: 0, dropped: 1.. } => Err(overflow::overflowed().with("topic", topic.as_str())),
                _ => future::pending().await,
            }
        };
        future::or(settled, waiting.answer(&topic)).await
    }

    /// Receives the events of a pattern through a queue: 1,024 wait at most, the oldest gives way.
    ///
    /// # Errors
    /// `invalid_input` for what is no pattern.
    pub fn subscribe(&self, pattern: &str) -> Result<Subscription> {
        self.subscribe_with(pattern, Options::new())
    }

    /// [`Bus::subscribe`] with options. Values that publishers had retained come first, oldest first.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    pub fn subscribe_with(&self, pattern: &str, options: Options) -> Result<Subscription> {
        let name = options.name.as_deref().unwrap_or(pattern);
        let subscriber = Arc::new(Subscriber::queueing(name, options.mailbox(), None));
        let _registered = self.register(pattern, &options, &subscriber)?;
        Ok(Subscription { subscriber, _registered })
    }

    /// Calls back for the events of a pattern, on the thread of whoever publishes, which waits for it: be quick. A panic
    /// in it is logged and counted. Values that publishers had retained come first; what is published meanwhile may come
    /// before them.
    ///
    /// # Errors
    /// As [`Bus::subscribe`].
    pub fn listen(
        &self,
        pattern: &str,
        options: &Options,
        callback: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<Listening> {
        let name = options.name.as_deref().unwrap_or(pattern);
        let subscriber = Arc::new(Subscriber::calling(name, Box::new(callback)));
        let _registered = self.register(pattern, options, &subscriber)?;
        Ok(Listening { subscriber, _registered })
    }

    /// Registers one more pattern of a subscriber.
    pub(crate) fn register(
        &self,
        pattern: &str,
        options: &Options,
        subscriber: &Arc<Subscriber>,
    ) -> Result<Registered> {
        let (pattern, mut judged) = (Pattern::parse(pattern)?, Judged::default());
        let (number, after) = loop {
            match self.shared.edit(|registry| enter(registry, &pattern, options, subscriber, &judged)) {
                Ok(done) => break done,
                Err(unknown) => judged.ask(options.filter.as_deref(), unknown),
            }
        };
        after.iter().for_each(|event| {
            subscriber.hand(event, false);
        });
        Ok(Registered { number, bus: Arc::downgrade(&self.shared) })
    }

    /// Limits how fast a sender may publish, or lifts the limit. `core` is the host itself.
    pub fn limit(&self, sender: &str, rate: Option<Rate>) {
        self.shared.limit(sender, rate);
    }

    /// A snapshot.
    #[must_use]
    pub fn stats(&self) -> Stats {
        stats::of(&self.shared, Look::Leave)
    }

    /// A snapshot, and everything is counted from zero from there on, but what waits for subscribers. Each event is
    /// counted in this one or in what follows, those that are published meanwhile as well.
    #[must_use]
    pub fn take_stats(&self) -> Stats {
        stats::of(&self.shared, Look::Zero)
    }

    /// Ends every subscription: what waits can still be read.
    pub(crate) fn end(&self) {
        self.shared.edit(Registry::end);
    }

    /// The one way of a message into the bus: it is checked, then routed, then given to everybody.
    fn give(&self, message: Message, also: &[Arc<Subscriber>], patient: bool) -> Result<Given> {
        let size = publisher::check_size(&message.data)?;
        let heading = message.heading();
        self.shared.pass(&heading.sender)?;
        let retain = message.retain;
        let mut event = message.event(heading, size);
        let shared = &self.shared;
        if !retain && also.is_empty() {
            let route = shared.route(event.topic())?;
            return give(shared, &route, event, patient);
        }
        topic::check(event.topic())?;
        event.stamp();
        let (route, event) = shared.keep(event, retain)?;
        give_shared(shared, &route, &event, also, patient)
    }
}

/// Adds a registration and lays what is retained into its subscriber's mailbox; for a callback it comes back.
///
/// # Errors
/// As [`Registry::add`].
fn enter(
    registry: &mut Registry,
    pattern: &Pattern,
    options: &Options,
    subscriber: &Arc<Subscriber>,
    judged: &Judged,
) -> Result<(u64, Values), Values> {
    let (number, retained) = registry.add(pattern, options, subscriber, judged)?;
    if registry.ended {
        subscriber.end();
    }
    let Sink::Mailbox(mailbox) = &subscriber.sink else { return Ok((number, retained)) };
    retained.iter().for_each(|event| {
        mailbox.offer(event, false);
    });
    Ok((number, Vec::new()))
}
