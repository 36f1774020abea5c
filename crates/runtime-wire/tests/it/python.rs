//! What is Python's own. The list of behaviours is run by `crates/midplane`.

mod bench;
mod packages;
mod place;
mod programs;
