//! The kernel over the fake runtime: everything it does except executing real code.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be, in the functions it shares with others too"
)]

mod availability;
mod bounds;
mod branches;
mod bus;
mod bus_plugins;
mod bus_trouble;
mod calls;
mod cancelling;
mod catalog;
mod configuration;
mod declared;
mod definitions;
mod dependencies;
mod documents;
mod events;
mod failures;
mod fallbacks;
mod grants;
#[cfg(test)]
mod guests;
mod hooks;
mod house;
mod install;
mod kept;
mod lifecycle;
mod logging;
mod nested;
#[cfg(test)]
mod offered;
mod opening;
mod operations;
mod pools;
mod queueing;
mod registry;
mod reload;
mod routes;
mod secrets;
mod services;
mod shutdown;
mod state;
mod streams;
mod stress;
mod trying;
