//! Core modules, by the ABI of `contract/core-wasm.md`.

pub(crate) mod abi;
pub(crate) mod code;
pub(crate) mod guest;
pub(crate) mod imports;
mod input;
mod json;
mod numbers;
mod packed;
pub(crate) mod preview1;
