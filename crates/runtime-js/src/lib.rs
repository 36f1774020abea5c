//! Runs JavaScript and TypeScript plugins in the host's process, on QuickJS: ES modules of the shape in
//! `contract/js.md`.
//!
//! From the outside in: [`JsRuntime`] reads a plugin's modules (`sources`, `typescript`), evaluates them once to learn
//! what they offer, and makes `code`; that makes `instance`s, each with an `engine` of its own: memory, stack, modules
//! and globals are nobody else's. `native` is what the JavaScript of `prelude/` stands on, `fault` gives what goes wrong
//! its name.
//!
//! How calls run:
//!
//! - `call_inline` enters the engine on the caller's thread. The input is copied in and the reply out; an action that
//!   gives a promise keeps the thread until the promise has settled, and timers run meanwhile.
//! - There is no future of a call: QuickJS cannot be set aside in the middle of a function, so the kernel runs calls on
//!   threads.
//! - `clock` ends what takes too long or is no longer wanted: the engine asks it every 10,000 steps, also within regular
//!   expressions. Code that was stopped in the middle leaves a spent instance, for nobody knows what it left half done;
//!   a promise that merely did not settle in time does not.
//! - `background` runs timers between calls, one turn at a time (`turnstile`), from `onStart` until `onStop`.
//!
//! `unsafe` stands in two files: `bytes`, which looks into the engine's buffers, and `compiled`, which loads what the engine
//! made of our own JavaScript.

#![deny(unsafe_code)]

mod background;
mod bytes;
mod clock;
mod code;
mod compiled;
mod config;
mod engine;
mod fault;
mod inside;
mod instance;
mod loader;
mod native;
mod reply;
mod resolve;
mod run;
mod running;
mod runtime;
mod sources;
mod timers;
mod tools;
mod turnstile;
mod typescript;
mod web;

pub use config::JsConfig;
pub use runtime::JsRuntime;
