//! Fetching from real servers on this machine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod bounds;
mod plain;
mod plugins;
mod reach;
mod secure;
mod server;
mod stage;
