//! The kernel over the fake runtime: everything it does except executing real code.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod calls;
mod cancelling;
mod catalog;
mod configuration;
mod dependencies;
mod events;
mod failures;
mod guests;
mod hooks;
mod house;
mod lifecycle;
mod nested;
mod operations;
mod pools;
mod queueing;
mod reload;
mod state;
mod streams;
mod stress;
