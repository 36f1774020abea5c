//! Components of the world in `contract/plugin.wit`.

pub(crate) mod code;
pub(crate) mod guest;
pub(crate) mod imports;
mod types;
pub(crate) mod wasi;
