//! The stores of a data folder on a real file system, with processes that are killed, out of room and at odds.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod damage;
mod killed;
mod processes;
mod room;
mod sharing;
mod whole;
