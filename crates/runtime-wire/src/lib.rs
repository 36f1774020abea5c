//! Runs plugins in other processes, over the protocols of `contract/wire.md` and `contract/text.md`.
//!
//! The host's side: [`WireRuntime`] launches a process ([`Program`], through the [`Confinement`] seam), greets it over
//! a [`Carrier`] and makes instances that answer as those in the same process do. One thread (`reactor`) reads for all
//! connections; a caller that waits alone on its connection reads for itself. The peer's side for workers that are
//! themselves built on Midplane is [`child`]: it serves one plugin with the same runtimes that the host has. [`text`]
//! translates for peers that speak lines of JSON instead of frames.
//!
//! Linux only: it stands on parent-death signals, pidfds and epoll.

mod attached;
mod carrier;
mod channel;
pub mod child;
mod code;
mod confinement;
mod connection;
mod desk;
mod dial;
mod eagerness;
pub mod engine;
mod exchange;
mod fault;
mod guardian;
mod instance;
mod launch;
mod memory;
mod process;
mod program;
mod reactor;
mod runtime;
mod stderr;
pub mod text;

pub use attached::attach;
pub use carrier::{Carrier, Socket};
pub use channel::{Channel, Speech, Wiring};
pub use confinement::{Confinement, Unconfined};
pub use dial::Dial;
pub use process::Elsewhere;
pub use program::{FD_VARIABLE, Program, Programs, WIRE_FD};
pub use runtime::{Hosting, WireRuntime};
