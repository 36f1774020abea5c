//! Real child processes, driven by the host's side.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod bench;
mod calls;
mod ends;
mod foreign;
mod go;
mod guide;
mod limits;
mod node;
mod orphans;
mod process;
mod python;
mod stage;
mod streams;
mod text;
