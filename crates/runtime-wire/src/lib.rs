//! Runs plugins in other processes, over the protocol of `contract/wire.md`.
//!
//! The host's side: [`WireRuntime`] launches a process ([`Program`], through the [`Confinement`] seam), greets it over
//! a [`Carrier`] and makes instances that answer as those in the same process do. One thread (`reactor`) reads for all
//! connections; a caller that waits alone on its connection reads for itself. The peer's side for workers that are
//! themselves built on Midplane is [`child`]: it serves one plugin with the same runtimes that the host has.
//!
//! Linux only: it stands on parent-death signals, pidfds and epoll.

mod attached;
mod carrier;
pub mod child;
mod code;
mod confinement;
mod connection;
mod desk;
mod eagerness;
pub mod engine;
mod exchange;
mod fault;
mod instance;
mod launch;
mod memory;
mod process;
mod program;
mod reactor;
mod runtime;
mod stderr;

pub use attached::attach;
pub use carrier::{Carrier, Socket};
pub use confinement::{Confinement, Unconfined};
pub use process::Elsewhere;
pub use program::{FD_VARIABLE, Program, Programs, WIRE_FD};
pub use runtime::{Hosting, WireRuntime};
