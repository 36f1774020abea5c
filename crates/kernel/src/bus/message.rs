//! What is published, with everything that can be said about it.

use std::sync::Arc;

use super::ask::Ask;
use super::data::Data;
use super::event::{Event, Heading};
use super::topic::canonical;

/// A message for the bus.
#[derive(Debug)]
pub struct Message {
    pub(crate) topic: String,
    pub(crate) data: Data,
    sender: Option<Arc<str>>,
    content_type: Option<Box<str>>,
    trace: Option<Arc<str>>,
    pub(crate) retain: bool,
    broadcast: bool,
    ask: Option<Box<Ask>>,
}

impl Message {
    /// A message of the host itself; its data are JSON.
    #[must_use]
    pub fn new(topic: &str, data: impl Into<Data>) -> Self {
        let (topic, data) = (canonical(topic).into_owned(), data.into());
        Self { topic, data, sender: None, content_type: None, trace: None, retain: false, broadcast: false, ask: None }
    }

    /// Whoever it is said to come from. The default is `core`.
    #[must_use]
    pub fn sender(mut self, sender: &str) -> Self {
        self.sender = Some(sender.into());
        self
    }

    /// The media type of its data.
    #[must_use]
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// W3C trace context.
    #[must_use]
    pub fn trace(mut self, trace: Option<Arc<str>>) -> Self {
        self.trace = trace;
        self
    }

    /// Whoever subscribes later gets it first, until the next retained message on this topic. One without data is not
    /// kept and forgets the last one. 1,024 topics have one at most; the one that was set longest ago gives way.
    #[must_use]
    pub fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// For plugins that did not subscribe as well.
    pub(crate) fn broadcast(mut self) -> Self {
        self.broadcast = true;
        self
    }

    pub(crate) fn asking(mut self, ask: Ask) -> Self {
        self.ask = Some(Box::new(ask));
        self
    }

    pub(crate) fn heading(&self) -> Heading {
        Heading {
            topic: self.topic.as_str().into(),
            sender: self.sender.clone().unwrap_or_else(|| "core".into()),
            content_type: self.content_type.clone(),
        }
    }

    pub(crate) fn event(self, heading: Heading, size: usize) -> Event {
        let Self { data, trace, broadcast, ask, .. } = self;
        let mut event = Event::new(Arc::new(heading), data, size);
        (event.trace, event.broadcast, event.ask) = (trace, broadcast, ask);
        event
    }
}
