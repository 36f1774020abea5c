//! Midplane: one kernel, every plugin, never switched off.
//!
//! [`kernel`] begins a [`Kernel`] with every runtime of this build. A program that wants plugins in workers calls
//! [`worker::run_if_child`] first thing in `main`, or names a worker executable with [`worker::use_executable`].
//!
//! Cargo features choose the runtimes (`native`, `wasm`, `js`, `worker`, `grpc`, `connect`), what is kept (`store`, `redis`)
//! and `fetch`; all are on by default.
//!
//! # Example
//! The README's, compiled and run:
//!
#![doc = include_str!("../../../README.md")]
#![forbid(unsafe_code)]

mod compose;
#[cfg(any(feature = "native", feature = "wasm", feature = "js", feature = "grpc"))]
mod on_demand;
pub mod settings;
pub mod worker;

#[cfg(feature = "store")]
pub use compose::data;
pub use compose::kernel;
pub use midplane_contract as contract;
pub use midplane_contract::Code;
pub use midplane_contract::{
    ActionName, Address, CONTRACT_VERSION, Envelope, Error, Health, HealthStatus, Hook, HostFunction, InstanceMode,
    Instances, Interface, InterfaceAction, Kind, Limits, Manifest, Permission, Placement, PluginId, PluginInfo, Result,
    RuntimeKind, State, Trust, Version, VersionRange,
};
/// What fetches over HTTP for plugins.
#[cfg(feature = "fetch")]
pub use midplane_fetch as fetch;
pub use midplane_kernel::{
    Action, Bounds, Builder, Bus, CallCounts, CallOptions, Caller, Choice, Deadline, Event, EventCounts,
    GenerationStatus, Kernel, Policy, Provider, Record, Recovery, Reinstated, ReplyStream, Route, Scope, Service, Slot,
    Status, Stores, Strategy, Subscription, block_on, bus, catalog, config, discover, metrics, platform, resolve,
    routes, runtime, secret, services,
};
/// Plugins that dial this host over WebSocket.
#[cfg(feature = "connect")]
pub use midplane_runtime_connect as connect;
/// Configurations in Redis, shared by hosts.
#[cfg(feature = "redis")]
pub use midplane_store_redis as redis;
