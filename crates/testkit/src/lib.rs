//! What tests of plugins and of the kernel need: a runtime without any engine ([`Fake`]), plugin folders, a way to wait
//! for conditions, and the one list of behaviours that every runtime and placement is held to ([`conformance`]).
//!
//! Nothing here waits for a duration: [`eventually`] looks at a condition until it holds, and gives up only after a
//! time that no working machine needs.

#![forbid(unsafe_code)]

mod bare;
pub mod conformance;
pub mod fake;
mod folder;
mod gate;
mod go;
mod grpc;
mod hexadecimal;
pub mod log;
mod loopback;
pub mod memory;
mod probe;
pub mod process;
mod redis;
pub mod suite;
mod waiting;

pub use bare::bare;
pub use fake::{Desk, Fake, Program, Sabotage};
pub use folder::{PluginFolder, Scratch, files_below};
pub use gate::Gate;
pub use go::{GoBuild, go_guest};
pub use grpc::{GrpcPython, Service};
pub use loopback::Loopback;
pub use probe::probe;
pub use redis::Redis;
pub use waiting::{PATIENCE, eventually};
