//! The door of a host over the fake runtime, from both sides.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod asking;
mod hostile;
mod house;
mod seats;
