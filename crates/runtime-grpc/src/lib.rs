//! Plugins that are gRPC services.
//!
//! `contract/plugin.proto` says what such a service looks like. A load finds its endpoints ([`discovery`]), dials each
//! one (`link`), asks whether it serves and what it offers (`greet`) and keeps it that way (`endpoint/keeper`): probing,
//! redialling with a growing pause, and bringing a service that was restarted to where its session stood
//! (`endpoint/life`). A call picks an endpoint whose turn it is, and another one where the action may be repeated
//! (`fleet`). What a service asks of its host comes back on a stream (`host`).
//!
//! Connections live on threads of this crate (`engine`); the futures of [`midplane_kernel::Instance::call`] may be
//! polled anywhere.

mod address;
mod alert;
mod call;
mod code;
mod dialect;
pub mod discovery;
mod endpoint;
mod engine;
mod fleet;
mod greet;
mod host;
mod instance;
mod link;
mod metadata;
pub mod proto;
mod runtime;
mod session;
mod settings;
pub mod status;
mod stop;
mod tls;

pub use address::Address;
pub use runtime::GrpcRuntime;
pub use settings::Settings;
