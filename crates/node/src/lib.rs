//! A host that others can talk to: one per data folder, through a door in it.
//!
//! The door is the Unix socket `host.sock`, for this user only. It speaks the text protocol of the contract: one JSON
//! object per line, `{"id", "method", "params"}` → `{"id", "result"}` or `{"id", "error": {code, message, data, …}}`.
//!
//! Reading order: [`seat`] (who is the host of a folder) → [`door`] (who comes in, and how much each may take) →
//! `line` (bounded lines) → [`method`] (what can be asked) → [`mod@ask`] (the other side).

#![forbid(unsafe_code)]

pub mod ask;
pub mod door;
mod line;
mod message;
pub mod method;
pub mod seat;

pub use ask::{Line, ask};
pub use door::Door;
pub use method::{Method, installed};
pub use seat::{Purpose, Seat};
