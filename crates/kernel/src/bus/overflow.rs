//! What becomes of an event, and what happens when a subscriber has no room for it.

use std::time::Duration;

use midplane_contract::{Code, Error};

/// What happens to an event for which a subscriber has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The oldest that waits gives way to it.
    #[default]
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// Its publisher waits so long for room, after everybody else has got it; then it is dropped. The host itself does
    /// not wait: of its own events the newest is dropped.
    Block(Duration),
    /// The subscriber is disconnected: it gets what waits, and no more.
    Disconnect,
}

impl Overflow {
    /// What it is called in statistics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropOldest => "drop_oldest",
            Self::DropNewest => "drop_newest",
            Self::Block(_) => "block",
            Self::Disconnect => "disconnect",
        }
    }
}

/// What became of an event that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It is in.
    Taken,
    /// It is in, and so many older ones are not.
    TookThePlace(usize),
    /// It is not in, and counted.
    Dropped,
    /// There is no room, and its publisher may wait for some. Not counted yet.
    Full,
    /// Nobody takes events here.
    Closed,
}

/// What the sender of a request is told for which there was no room.
pub(crate) fn overflowed() -> Error {
    Error::new(Code::Overloaded, "whoever subscribes has no room for the event")
        .remedy("publish less often, or give the subscriber a longer queue")
        .recoverable(true)
}
