//! Plugins' configurations in Redis, shared by hosts: the kernel's [`ConfigStore`](midplane_kernel::config::ConfigStore)
//! over one hash, and a channel on which every change is told.
//!
//! `PREFIX:configs` holds a field for each plugin, JSON. A change is one transaction: the field is written and its plugin
//! named on the channel `PREFIX:config-changed`, to whoever has written it as well. Nothing depends on how the server is configured. A host that could not
//! listen for a while compares everything when it can again, and puts back what a server that came back empty has lost.
//!
//! Reading order: `store` (load, save) → `server` (connections, deadlines) → `ear` (listening) → `fault` (what errors say).
#![forbid(unsafe_code)]

mod ear;
mod fault;
mod message;
mod server;
mod store;

pub use server::Settings;
pub use store::RedisStore;
