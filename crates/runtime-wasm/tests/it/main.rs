//! Guests written as text, loaded and called as the kernel would.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod components;
mod core_abi;
mod deadlines;
mod guests;
mod kit;
mod limits;
mod preview1;
