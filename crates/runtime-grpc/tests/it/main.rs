//! Plugins that are gRPC services: in Python, in Go, and in this process, where faults can be made.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod bench;
mod calls;
mod discovery;
mod examples;
mod faults;
mod life;
mod matrix;
mod musicfox;
mod service;
mod stage;
mod subject;
mod tls;
