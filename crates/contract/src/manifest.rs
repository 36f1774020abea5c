//! The manifest: one model, whatever spelling it was read from.

mod model;

pub use model::{
    Compatibility, Dependency, DependencyKind, Engine, Entry, FileType, InterfaceRef, Manifest, PackageFacts,
    PluginType, Reload, Resources, StateSpec,
};
