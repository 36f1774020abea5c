//! Real child processes, driven by the host's side.

mod bench;
mod calls;
mod ends;
mod foreign;
mod limits;
mod orphans;
mod stage;
mod streams;
