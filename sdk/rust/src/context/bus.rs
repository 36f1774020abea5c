//! Events.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Context, arguments, milliseconds, reply_of};
use crate::Result;

/// Events.
impl Context<'_> {
    /// Publishes an event whose data is JSON.
    ///
    /// # Errors
    /// What the host answers.
    pub fn publish(&self, topic: &str, data: &impl Serialize) -> Result<()> {
        let data = serde_json::to_vec(data)?;
        self.host("bus.publish", &arguments([("topic", Some(topic.into()))]), &data).map(drop)
    }

    /// Publishes an event whose data is bytes of another media type: `image/png`.
    ///
    /// # Errors
    /// What the host answers.
    pub fn publish_as(&self, topic: &str, content_type: &str, data: &[u8]) -> Result<()> {
        let args = arguments([("topic", Some(topic.into())), ("content_type", Some(content_type.into()))]);
        self.host("bus.publish", &args, data).map(drop)
    }

    /// Asks a topic and gives the first answer.
    ///
    /// # Errors
    /// What the host answers; `deadline_exceeded` when nobody does.
    pub fn request(&self, topic: &str, data: &[u8]) -> Result<Vec<u8>> {
        self.host("bus.request", &arguments([("topic", Some(topic.into()))]), data)
    }

    /// [`Context::request`] with a deadline of its own, rounded up to milliseconds.
    ///
    /// # Errors
    /// As [`Context::request`].
    pub fn request_within(&self, deadline: Duration, topic: &str, data: &[u8]) -> Result<Vec<u8>> {
        let args = arguments([("topic", Some(topic.into())), ("deadline_ms", Some(milliseconds(deadline)))]);
        self.host("bus.request", &args, data)
    }

    /// [`Context::request`] with JSON both ways. An empty answer reads as `null`.
    ///
    /// # Errors
    /// As [`Context::request`], and `invalid_reply` for an answer that does not fit.
    pub fn request_json<T: DeserializeOwned>(&self, topic: &str, data: &impl Serialize) -> Result<T> {
        reply_of(topic, &self.request(topic, &serde_json::to_vec(data)?)?)
    }

    /// Begins to receive a topic through the `event` hook.
    ///
    /// # Errors
    /// What the host answers.
    pub fn subscribe(&self, topic: &str) -> Result<()> {
        self.host("bus.subscribe", &arguments([("topic", Some(Value::from(topic)))]), &[]).map(drop)
    }

    /// Ends it.
    ///
    /// # Errors
    /// What the host answers.
    pub fn unsubscribe(&self, topic: &str) -> Result<()> {
        self.host("bus.unsubscribe", &arguments([("topic", Some(Value::from(topic)))]), &[]).map(drop)
    }
}
