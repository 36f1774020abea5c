//! The embedded engine against real plugins and real faults.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod globals;
mod hostile;
mod modules;
mod plugins;
mod stage;
mod timers;
mod typescript;
