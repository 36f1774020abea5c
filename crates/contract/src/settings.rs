//! The host's settings: `midplane.yaml` and what is laid over it.
//!
//! A [`Layer`] is one source of settings: a file, a variable of the environment, or one assignment of the command line.
//! [`settle`] lays layers over each other, later ones over earlier ones, and the whole over the defaults. Reading goes
//! as for manifests: text to a tree with places, `${VAR}` expanded (`expand`), older spellings translated (`older`), the
//! tree against the tables of fields (`fields`), layers merged (`layers`), and the tree to the model (`model`).

mod address;
mod emit;
mod expand;
mod fields;
mod idle;
pub mod import;
mod layer;
mod layers;
mod model;
mod older;
mod schema;
mod store;
mod units;
mod variable;

pub use address::{BadAddress, ServerAddress};
pub use emit::yaml as to_yaml;
pub use layer::Layer;
pub use layers::{FaultsByFile, Origin, Settled, settle};
pub use model::{
    AdapterSettings, Compatibility, ConfigStore, Health, HostLimits, Listen, Loading, PluginSettings, Reloading,
    Remote, Restarting, Runtimes, Scanning, Settings, Shutdown, StoreKind, Strategy, Versions, Wasm, Wire,
};
pub use older::{MODULE_DIRS, PLUGIN_DIRS};
pub use schema::json_schema;

/// The name that the file has where none is named.
pub const FILE_NAME: &str = "midplane.yaml";
/// What variables of the environment that are settings begin with.
pub const VARIABLE_PREFIX: &str = "MIDPLANE__";

#[cfg(test)]
mod tests;
