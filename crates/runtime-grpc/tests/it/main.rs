//! Plugins that are gRPC services: in Python, in Go, and in this process, where faults can be made.

mod bench;
mod calls;
mod conformance;
mod discovery;
mod examples;
mod faults;
mod life;
mod musicfox;
mod service;
mod stage;
mod subject;
mod tls;
