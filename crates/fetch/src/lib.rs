//! `http.fetch` for plugins: the kernel's [`midplane_kernel::Fetch`] over hyper and rustls.
//!
//! Reading order: [`client`] (one fetch with its redirects) → `target` (which addresses can be asked for) → `outgoing`
//! (what a request may hold) → `exchange` (one request, one answer) → `connect` (the machine behind a name, and no other)
//! → `address` (which machines those may be) → `redirect` (what is asked next). Decisions are pure functions; `connect`,
//! `exchange` and `tls` carry them out.

#![forbid(unsafe_code)]

mod address;
pub mod client;
mod connect;
mod exchange;
mod fault;
mod outgoing;
mod redirect;
pub mod resolve;
pub mod settings;
mod target;
mod tls;

pub use client::Client;
pub use resolve::Resolve;
pub use settings::Settings;
