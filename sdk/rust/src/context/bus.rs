//! Events.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Context, arguments, milliseconds, reply_of};
use crate::Result;

/// Where an event or a question goes, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The topic's name: `orders.new`.
    pub name: &'a str,
    /// Media type of the data: `image/png`; `None`: JSON.
    pub content_type: Option<&'a str>,
    /// Whether those who subscribe later get the event first. Questions are never kept.
    pub retain: bool,
}

impl<'a> Topic<'a> {
    /// A topic for data that is JSON.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self { name, content_type: None, retain: false }
    }

    /// With data of another media type.
    #[must_use]
    pub fn content_type(self, content_type: &'a str) -> Self {
        Self { content_type: Some(content_type), ..self }
    }

    /// Keeps the event for those who subscribe later.
    #[must_use]
    pub fn retain(self) -> Self {
        Self { retain: true, ..self }
    }

    fn arguments(self, deadline: Option<Duration>) -> Value {
        arguments([
            ("topic", Some(self.name.into())),
            ("content_type", self.content_type.map(Value::from)),
            ("retain", self.retain.then_some(Value::from(true))),
            ("deadline_ms", deadline.map(milliseconds)),
        ])
    }
}

impl<'a> From<&'a str> for Topic<'a> {
    fn from(name: &'a str) -> Self {
        Self::new(name)
    }
}

/// What is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// A topic or a pattern: `orders.*`, `orders.>`.
    pub topic: &'a str,
    /// Of the plugins in a group one gets each event.
    pub group: Option<&'a str>,
    /// Fields of the data, by their names or JSON pointers, and what they have to be.
    pub filter: Map<String, Value>,
}

impl<'a> Subscription<'a> {
    /// Every event of a topic or pattern.
    #[must_use]
    pub fn new(topic: &'a str) -> Self {
        Self { topic, group: None, filter: Map::new() }
    }

    /// As a member of a group.
    #[must_use]
    pub fn group(self, group: &'a str) -> Self {
        Self { group: Some(group), ..self }
    }

    /// Only events whose data has this value in this field: `("color", "red")`, `("/size/width", 3)`. All that are given
    /// have to hold.
    #[must_use]
    pub fn filter(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.filter.insert(field.to_owned(), value.into());
        self
    }
}

impl<'a> From<&'a str> for Subscription<'a> {
    fn from(topic: &'a str) -> Self {
        Self::new(topic)
    }
}

/// Events.
impl Context<'_> {
    /// Publishes an event whose data is JSON: `context.publish("orders.new", &order)`, or
    /// `context.publish(Topic::new("orders.latest").retain(), &order)`.
    ///
    /// # Errors
    /// What the host answers.
    pub fn publish<'t>(&self, topic: impl Into<Topic<'t>>, data: &impl Serialize) -> Result<()> {
        self.publish_bytes(topic, &serde_json::to_vec(data)?)
    }

    /// Publishes an event whose data is bytes, of the topic's media type.
    ///
    /// # Errors
    /// What the host answers.
    pub fn publish_bytes<'t>(&self, topic: impl Into<Topic<'t>>, data: &[u8]) -> Result<()> {
        self.host("bus.publish", &topic.into().arguments(None), data).map(drop)
    }

    /// Asks a topic and gives the first answer that is not empty, which is what an `event` hook has returned; an empty one
    /// where all that are there return nothing.
    ///
    /// # Errors
    /// What the host answers: `peer_gone` where nobody takes the topic, `deadline_exceeded` where nobody answers in time, and
    /// the error of a hook where no other answers.
    pub fn request<'t>(&self, topic: impl Into<Topic<'t>>, data: &[u8]) -> Result<Vec<u8>> {
        self.question(topic.into(), data, None)
    }

    /// [`Context::request`] with a deadline of its own, rounded up to milliseconds.
    ///
    /// # Errors
    /// As [`Context::request`].
    pub fn request_within<'t>(&self, deadline: Duration, topic: impl Into<Topic<'t>>, data: &[u8]) -> Result<Vec<u8>> {
        self.question(topic.into(), data, Some(deadline))
    }

    /// [`Context::request`] with JSON both ways. An empty answer reads as `null`.
    ///
    /// # Errors
    /// As [`Context::request`], and `invalid_reply` for an answer that does not fit.
    pub fn request_json<'t, T: DeserializeOwned>(
        &self,
        topic: impl Into<Topic<'t>>,
        data: &impl Serialize,
    ) -> Result<T> {
        let topic = topic.into();
        reply_of(topic.name, &self.request(topic, &serde_json::to_vec(data)?)?)
    }

    /// Begins to receive a topic, or the topics of a pattern, through the `event` hook:
    /// `context.subscribe("orders.*")`, or `context.subscribe(Subscription::new("orders.*").group("packers"))`.
    ///
    /// # Errors
    /// What the host answers; `not_supported` where the plugin has no such hook.
    pub fn subscribe<'t>(&self, wanted: impl Into<Subscription<'t>>) -> Result<()> {
        let Subscription { topic, group, filter } = wanted.into();
        let filter = Some(filter).filter(|filter| !filter.is_empty()).map(Value::from);
        let args = arguments([("topic", Some(topic.into())), ("group", group.map(Value::from)), ("filter", filter)]);
        self.host("bus.subscribe", &args, &[]).map(drop)
    }

    /// Ends it; the topic is written as it was subscribed to.
    ///
    /// # Errors
    /// What the host answers.
    pub fn unsubscribe(&self, topic: &str) -> Result<()> {
        self.host("bus.unsubscribe", &arguments([("topic", Some(topic.into()))]), &[]).map(drop)
    }

    fn question(&self, topic: Topic<'_>, data: &[u8], deadline: Option<Duration>) -> Result<Vec<u8>> {
        self.host("bus.request", &Topic { retain: false, ..topic }.arguments(deadline), data)
    }
}
