//! One event on its way: what it says, from whom, and, where it is asked for, its envelope.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use midplane_contract::{Envelope, Error};
use serde_json::Value;
use uuid::{Builder, Uuid};

use super::ask::Ask;
use super::clock;
use super::data::{Data, value};

/// What all events of one publisher on one topic have in common.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) topic: Arc<str>,
    pub(crate) sender: Arc<str>,
    /// `None` is JSON.
    pub(crate) content_type: Option<Box<str>>,
}

/// One event. What costs time, its id and its envelope, is made when somebody asks for it, once for all subscribers.
#[derive(Debug)]
pub struct Event {
    pub(crate) heading: Arc<Heading>,
    pub(crate) data: Data,
    pub(crate) size: usize,
    pub(crate) trace: Option<Arc<str>>,
    pub(crate) ask: Option<Box<Ask>>,
    /// To plugins whether they subscribed or not.
    pub(crate) broadcast: bool,
    /// Nanoseconds since 1970; 0 until somebody asks.
    at: AtomicU64,
    sealed: OnceLock<Box<Sealed>>,
}

#[derive(Debug)]
struct Sealed {
    envelope: Envelope,
    json: Box<[u8]>,
}

impl Event {
    pub(crate) fn new(heading: Arc<Heading>, data: Data, size: usize) -> Self {
        let (at, sealed) = (AtomicU64::new(0), OnceLock::new());
        Self { heading, data, size, trace: None, ask: None, broadcast: false, at, sealed }
    }

    /// Makes it the next event of the same heading.
    #[inline]
    pub(crate) fn renew(&mut self, data: Data, size: usize) {
        self.data = data;
        self.size = size;
        *self.at.get_mut() = 0;
        self.sealed.take();
    }

    /// Notes the present as the time of publishing. Done before an event waits anywhere; where it is handed over within
    /// the publishing call, whoever asks for the time gets it then.
    #[inline]
    pub(crate) fn stamp(&mut self) {
        *self.at.get_mut() = clock::now();
    }

    /// The topic, with `plugin.` for `module.`.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.heading.topic
    }

    /// The plugin that sent it, or `core`.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.heading.sender
    }

    /// The media type of its data.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.heading.content_type.as_deref().unwrap_or("application/json")
    }

    /// Its data as bytes; as JSON where it is a value.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.data {
            Data::Nothing => Cow::Borrowed(&[]),
            Data::Bytes(bytes) => Cow::Borrowed(bytes),
            Data::Json(value) => Cow::Owned(serde_json::to_vec(value).unwrap_or_default()),
        }
    }

    /// Its data as a value: bytes that are no JSON are a string, bytes that are no text an array of numbers, no bytes
    /// null.
    #[must_use]
    pub fn data(&self) -> &Value {
        match &self.data {
            Data::Json(value) => value,
            Data::Nothing => &Value::Null,
            Data::Bytes(_) => &self.envelope().data,
        }
    }

    /// When it was published.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        let noted = match self.at.load(Ordering::Relaxed) {
            // Whoever asks first decides for all.
            0 => {
                let now = clock::now();
                self.at.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(now)
            }
            noted => noted,
        };
        Timestamp::from_nanosecond(i128::from(noted)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// W3C trace context of the sender, where there is one.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// The contract's envelope. Made on the first call, the same for every subscriber.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.sealed().envelope
    }

    /// The envelope as JSON, as plugins get it.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.sealed().json
    }

    fn sealed(&self) -> &Sealed {
        self.sealed.get_or_init(|| {
            let timestamp = self.timestamp();
            let data = match &self.data {
                Data::Nothing => Value::Null,
                Data::Json(value) => Value::clone(value),
                Data::Bytes(bytes) => value(bytes),
            };
            let envelope = Envelope {
                event_id: id(timestamp),
                event_type: self.topic().to_owned(),
                sender: self.sender().to_owned(),
                data,
                timestamp,
                content_type: self.content_type().to_owned(),
                trace: self.trace.as_deref().map(str::to_owned),
            };
            let json = serde_json::to_vec(&envelope).unwrap_or_default().into_boxed_slice();
            Box::new(Sealed { envelope, json })
        })
    }

    /// Whether somebody waits for an answer.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.ask.is_some()
    }

    /// Answers a request. `false` when nobody waits, or another answer came first.
    pub fn answer(&self, answer: impl Into<Vec<u8>>) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask.answer(answer.into()))
    }

    /// Says why a request cannot be answered here. It counts if nobody else answers.
    pub fn refuse(&self, why: Error) {
        if let Some(ask) = &self.ask {
            ask.refuse(why);
        }
    }
}

/// A UUIDv7 of that time.
fn id(timestamp: Timestamp) -> Uuid {
    let mut random = [0; 10];
    // Without chance the time alone has to do.
    let _ = getrandom::fill(&mut random);
    let millis = u64::try_from(timestamp.as_millisecond()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: impl Into<Data>) -> Event {
        let heading = Heading { topic: "a.b".into(), sender: "p".into(), content_type: None };
        let data = data.into();
        let size = data.size();
        Event::new(Arc::new(heading), data, size)
    }

    #[test]
    fn an_envelope_is_made_once_and_holds_what_was_sent() {
        let event = event(&b"{\"rain\":true}"[..]);
        let envelope = event.envelope().clone();
        assert_eq!(envelope.event_id.get_version_num(), 7);
        assert_eq!((envelope.event_type.as_str(), envelope.sender.as_str()), ("a.b", "p"));
        assert_eq!(envelope.data["rain"], true);
        assert_eq!(serde_json::from_slice::<Envelope>(event.json()).unwrap(), envelope);
        assert_eq!(event.envelope(), &envelope);
    }

    #[test]
    fn bytes_of_every_kind_have_a_value() {
        assert_eq!(event(Vec::new()).data(), &Value::Null);
        assert_eq!(event(&b"no json"[..]).data(), "no json");
        assert_eq!(event(&[0, 255][..]).data(), &serde_json::json!([0, 255]));
        assert_eq!(event(serde_json::json!({"a": 1})).bytes().as_ref(), br#"{"a":1}"#);
        assert_eq!(event(serde_json::json!({"a": 1})).size, 7);
    }
}
