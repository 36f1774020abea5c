//! Reading documents that people write: text to a tree in which every value knows its place (`yaml`), the tree against
//! tables of fields (`walk`, `shape`, `rule`), all faults at once, and the JSON Schema for editors from the same tables.
//!
//! Manifests, case files and settings are read this way.

pub(crate) mod fault;
pub(crate) mod nearest;
pub(crate) mod quantity;
pub(crate) mod rule;
pub(crate) mod scalar;
pub(crate) mod schema;
pub(crate) mod shape;
pub(crate) mod tree;
pub(crate) mod walk;
pub(crate) mod wording;
pub(crate) mod words;
pub(crate) mod yaml;

pub(crate) use fault::FaultCode;
pub(crate) use words::Words;
