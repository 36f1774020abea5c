//! Which events of a topic a subscriber wants.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use midplane_contract::{Code, Error, Result};
use serde_json::{Map, Value};

use super::event::Event;

/// Most fields of a declared filter.
const FIELDS: usize = 32;

/// Chooses among the events of the topics that a subscriber asked for. What it does not pass is not for that subscriber
/// and counts as filtered, not as dropped.
pub struct Filter {
    kind: Kind,
}

type Predicate = dyn Fn(&Event) -> bool + Send + Sync;

enum Kind {
    Predicate(Box<Predicate>),
    Fields(Box<[(Box<str>, Value)]>),
}

impl Filter {
    /// Passes what a predicate says. It runs on the publisher's thread: it must be quick. A panic in it is logged, and a no.
    #[must_use]
    pub fn by(predicate: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        Self { kind: Kind::Predicate(Box::new(predicate)) }
    }

    /// Passes events whose data have these values in these fields. A field is a name, or a JSON pointer that begins with
    /// `/` (`/order/total`). Data that are no object have no fields.
    ///
    /// # Errors
    /// `invalid_input` when there are none, or more than 32.
    pub fn fields(fields: &Map<String, Value>) -> Result<Self> {
        if fields.is_empty() || fields.len() > FIELDS {
            return Err(Error::new(Code::InvalidInput, format!("a filter has 1 to {FIELDS} fields"))
                .remedy("write a filter such as {\"color\": \"red\", \"/size/width\": 3}"));
        }
        let fields = fields.iter().map(|(field, value)| (pointer(field), value.clone())).collect();
        Ok(Self { kind: Kind::Fields(fields) })
    }

    pub(crate) fn passes(&self, event: &Event) -> bool {
        match &self.kind {
            Kind::Predicate(predicate) => catch_unwind(AssertUnwindSafe(|| predicate(event))).unwrap_or_else(|_| {
                tracing::error!(topic = event.topic(), "a subscriber's filter panicked");
                false
            }),
            Kind::Fields(fields) => fields.iter().all(|(field, value)| event.data().pointer(field) == Some(value)),
        }
    }
}

fn pointer(field: &str) -> Box<str> {
    if field.starts_with('/') {
        return field.into();
    }
    format!("/{}", field.replace('~', "~0").replace('/', "~1")).into()
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Predicate(_) => f.write_str("Predicate"),
            Kind::Fields(fields) => f.debug_list().entries(fields.iter()).finish(),
        }
    }
}
