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
    Action, Asked, Bounds, Builder, Bus, Call, CallCounts, CallOptions, Caller, Choice, ChunkSink, Deadline, Event,
    EventCounts, Fetch, FetchAnswer, FetchRequest, GenerationStatus, Kernel, Pass, Place, Policy, Provider, Reach,
    Record, Recovery, Reinstated, Reply, ReplyStream, Rights, Route, Scope, Service, Slot, Standing, Status, Stores,
    Strategy, Subscription, block_on, bus, catalog, config, discover, metrics, platform, resolve, routes, runtime,
    secret, services, store,
};
/// Plugins that dial this host over WebSocket.
#[cfg(feature = "connect")]
pub use midplane_runtime_connect as connect;
/// Configurations in Redis, shared by hosts.
#[cfg(feature = "redis")]
pub use midplane_store_redis as redis;

#[cfg(test)]
mod tests {
    /// Everything that the seams speak of, by its name here: who sits at one needs no other crate.
    type Seams<'a> = (
        (&'a dyn crate::runtime::Runtime, &'a dyn crate::runtime::Instance, crate::Call<'a>, crate::Reply<'a>),
        (&'a dyn crate::ChunkSink, &'a dyn crate::runtime::Interrupt, &'a dyn crate::runtime::Host),
        (&'a dyn crate::store::Store, &'a dyn crate::store::Change, &'a dyn crate::config::ConfigStore),
        (&'a dyn crate::Fetch, crate::FetchRequest<'a>, crate::FetchAnswer, &'a dyn crate::Pass, crate::Place<'a>),
        (crate::Rights, crate::Asked, crate::Standing, crate::Reach, crate::contract::SecretRef),
    );

    #[test]
    fn what_the_seams_speak_of_can_be_named() {
        assert!(std::mem::size_of::<Seams<'_>>() > 0);
    }
}
