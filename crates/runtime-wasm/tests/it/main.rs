//! Guests written as text, loaded and called as the kernel would.

mod components;
mod core_abi;
mod deadlines;
mod guests;
mod kit;
mod limits;
