//! Plugins that connect, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod admission;
mod bench;
mod browser;
mod matrix;
mod node;
mod presence;
mod stage;
mod subject;
mod text;
mod worker;
