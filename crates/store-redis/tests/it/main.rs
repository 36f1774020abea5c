//! The store against real Redis servers: away, killed, locked, shared, filled by somebody else.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod away;
mod doors;
mod foreign;
mod hosts;
mod shared;
