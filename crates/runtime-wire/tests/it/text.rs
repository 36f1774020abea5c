//! What the text protocol's own is. The list of behaviours is run by `crates/midplane`.

mod bench;
pub(crate) mod faults;
