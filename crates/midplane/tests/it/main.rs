//! The library as its users have it: every behaviour in every runtime and placement, with real plugins.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod bare;
mod matrix;
mod sabotage;
mod subjects;
mod threads;
