//! Real libraries, compiled by the tests, driven through the kernel's seam.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod calls;
mod cycles;
mod headers;
mod hostile;
mod refusals;
mod reload;
mod rust;
mod workshop;
