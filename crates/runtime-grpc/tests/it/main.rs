//! Plugins that are gRPC services: in Python, in Go, and in this process, where faults can be made.

mod conformance;
mod subject;
