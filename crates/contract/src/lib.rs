//! What every part of Midplane agrees on, as Rust types: names and addresses, the manifest, errors, states,
//! permissions, events, limits, default numbers and wire frames. No I/O happens here.
//!
//! The language-neutral side of the same agreement is the `contract/` folder at the root of the repository.

pub mod action;
pub mod defaults;
pub mod error;
pub mod event;
pub mod frame;
pub mod glob;
pub mod health;
pub mod hook;
pub mod host;
pub mod id;
pub mod info;
pub mod interface;
pub mod limits;
pub mod manifest;
pub mod permission;
pub mod placement;
mod reading;
pub mod secret;
pub mod settings;
pub mod state;
pub mod version;

pub use action::ActionSpec;
pub use error::{Code, Error, Kind, Result};
pub use event::Envelope;
pub use glob::Glob;
pub use health::{Health, HealthStatus};
pub use hook::Hook;
pub use host::HostFunction;
pub use id::{ActionName, Address, PluginId};
pub use info::PluginInfo;
pub use interface::{Interface, InterfaceAction};
pub use limits::{Limit, Limits};
pub use manifest::Manifest;
pub use permission::Permission;
pub use placement::{InstanceMode, Instances, Placement, RuntimeKind, Trust};
pub use secret::SecretRef;
pub use settings::Settings;
pub use state::State;
pub use version::{Version, VersionRange};

/// The version of the contract itself: hooks, host API, ABI, wire protocol. Manifests' `core_version`,
/// `min_version`, `max_version` and `engines.midplane` are matched against it.
pub const CONTRACT_VERSION: Version = Version::new(1, 0, 0);
