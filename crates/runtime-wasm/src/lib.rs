//! Runs WebAssembly plugins in the host's process, on wasmtime: components of the world in `contract/plugin.wit`, and
//! core modules by the ABI in `contract/core-wasm.md`.
//!
//! From the outside in: [`WasmRuntime`] reads a file (`header`), compiles it or takes it from the `cache`, checks
//! imports and exports (`core`, `component`) and makes `code`; that makes `instance`s, each with a store of its
//! own (`state`) under its own limits (`limiter`) and its own deadline (`ticker`). `fault` gives what goes wrong its
//! name.
//!
//! How calls run:
//!
//! - `call_inline` enters the guest on the caller's thread: nothing but the input is copied in and the reply out; no
//!   allocation, no lock and no clock beside what the guest does.
//! - `call` runs the guest on a stack of its own and gives the executor back on each tick (5 ms), for about 0.1 µs more.
//!   A guest that imports something that waits (`midplane:plugin/host`, `midplane.host_call`, `env.http_request`,
//!   `env.json_*`) has no such future: the kernel runs its calls on a thread of their own.
//! - A reader who takes a reply in chunks gets each as it is made: the guest is set aside until the reader has taken it.
//! - After a trap, a passed deadline, a cancellation or a dropped future the instance is spent: nobody can say what state
//!   its memory is in. Siblings are never touched: each store has its own deadline and its own stop flag.

#![deny(unsafe_code)]

mod cache;
mod code;
mod compiled;
mod component;
mod config;
mod core;
mod engine;
mod fault;
mod guest;
mod header;
mod instance;
mod limiter;
mod runtime;
mod source;
mod stamp;
mod state;
mod ticker;

pub use config::WasmConfig;
pub use runtime::WasmRuntime;
