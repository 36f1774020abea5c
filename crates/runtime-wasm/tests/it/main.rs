//! Guests written as text, loaded and called as the kernel would.

mod core_abi;
mod components;
mod deadlines;
mod kit;
mod limits;
