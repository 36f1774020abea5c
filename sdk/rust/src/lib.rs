//! Write Midplane plugins in Rust. The same source builds as a native library (`cdylib`), as a WebAssembly component
//! (`wasm32-wasip2`) and as a core WebAssembly module (`wasm32-unknown-unknown`, `wasm32-wasip1`).
//!
//! ```
//! use midplane_sdk::prelude::*;
//!
//! #[derive(serde::Deserialize)]
//! struct Guest { name: String }
//!
//! #[derive(Default)]
//! struct Greeter;
//!
//! impl Plugin for Greeter {
//!     fn define() -> Definition<Self> {
//!         Definition::new()
//!             .action("greet", |_, Json(guest): Json<Guest>, _| Ok(Json(json!({"hello": guest.name}))))
//!             .raw("echo", |_, input, reply, _| reply.write(input))
//!     }
//! }
//!
//! midplane_sdk::plugin!(Greeter);
//! # fn main() {}
//! ```
//!
//! [`Plugin::define`] is the one place that says what a plugin has: typed actions ([`Definition::action`]), actions on
//! bytes without copies ([`Definition::raw`]), and hooks (`on_init`, `on_health_check`, …). What is not defined does not
//! exist, and the host is told so. [`Context`] is the way to the host: log, configuration, other plugins, and the rest
//! of the host API. [`testing`] drives a plugin in unit tests without a host.
//!
//! How a build reaches its host is decided by the target alone; [`backend`] describes that seam.

pub mod backend;
mod context;
mod definition;
mod error;
mod event;
mod health;
mod hook;
mod info;
mod payload;
mod plugin;
mod reply;
mod running;
pub mod testing;

pub use context::{Context, HttpReply, HttpRequest, Level, Service, Subscription, Topic};
pub use definition::Definition;
pub use error::{Error, Record, Result};
pub use event::{Dependency, Event};
pub use health::{Health, HealthStatus};
pub use hook::Hook;
pub use info::{ActionInfo, Identity, Info};
pub use payload::{Input, Json, Output};
pub use plugin::Plugin;
pub use reply::Reply;
pub use serde_json;

/// What a plugin's source needs: `use midplane_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{Context, Definition, Error, Event, Health, Json, Plugin, Reply, Result};
    pub use serde_json::{Value, json};
}
