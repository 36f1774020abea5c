//! The kernel: slots that callers hold, generations that come and go behind them, one lifecycle, one call path,
//! one gate. It reaches code through the seam in [`runtime`] and names no runtime.

#![forbid(unsafe_code)]

pub mod call;
pub mod runtime;

pub use call::{Call, Caller, Deadline, Reply, Scope};
pub use midplane_contract as contract;
pub use runtime::{
    Code, CodeFacts, Condition, Host, HostRequest, Instance, InstanceContext, Interrupt, LoadRequest, Runtime, Within,
};
