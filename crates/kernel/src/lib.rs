//! The kernel: slots that callers hold, generations that come and go behind them, one lifecycle, one call path,
//! one gate. It reaches code through the seam in [`runtime`] and names no runtime.
//!
//! Reading order: [`kernel`] (the face) → `operate` (load, start, stop, reload) → `assemble` (what a load decides) →
//! [`slot`], `berth`, `lane` (where generations and instances stand) → [`action`] (the call path) → `turn`, `queue`
//! (who waits for whom) → `host`, `gate` (what plugins may ask) → [`bus`] (events), `inbox`, `pump` (how plugins get
//! them).

#![forbid(unsafe_code)]

pub mod action;
mod alarm;
mod assemble;
mod attempt;
mod availability;
mod barrier;
mod berth;
mod bounds;
mod build;
pub mod bus;
pub mod call;
pub mod catalog;
pub mod config;
mod describe;
pub mod discover;
pub mod fetch;
mod gate;
mod generation;
mod grants;
mod guest;
mod halt;
mod hooks;
mod host;
mod inbox;
mod invoke;
mod kept;
pub mod kernel;
mod lane;
mod lasting;
pub mod lifecycle;
mod log;
pub mod metrics;
mod operate;
mod own_state;
pub mod picker;
mod placement;
pub mod platform;
mod plugin;
mod policy;
mod probe;
mod pump;
mod queue;
mod recovery;
pub mod resolve;
pub mod routes;
pub mod runtime;
pub mod secret;
pub mod services;
pub mod slot;
pub mod status;
pub mod store;
pub mod stream;
mod tasks;
pub mod throttle;
mod together;
mod turn;

pub use action::{Action, CallOptions};
pub use bounds::Bounds;
pub use bus::{Bus, Event, Message, Subscription};
pub use call::{Call, Caller, ChunkSink, Deadline, Reply, Scope};
pub use fetch::{Fetch, FetchAnswer, FetchRequest, Pass, Place, Reach};
pub use futures_lite::future::block_on;
pub use grants::{Asked, Rights, Standing};
pub use kernel::{Builder, Kernel, Record, Reinstated};
pub use lane::CallCounts;
pub use midplane_contract as contract;
pub use picker::Picker;
pub use policy::Policy;
pub use recovery::{Recovery, Strategy};
pub use routes::Route;
pub use runtime::{
    BoxFuture, Code, CodeFacts, Condition, Host, HostRequest, Instance, InstanceContext, Interrupt, LoadRequest,
    Runtime, Within,
};
pub use services::{Choice, Provider, Service};
pub use slot::Slot;
pub use status::{EventCounts, GenerationStatus, Status};
pub use store::Stores;
pub use stream::ReplyStream;
pub use throttle::{Allowance, Throttle};
