//! What an embedder decides about fetching.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::resolve::{Resolve, System};

/// What an embedder decides about fetching. The default is the system's authorities and the system's names.
///
/// No proxy is used, whatever the environment says, and no cookie is kept. `SSL_CERT_FILE` names other authorities in place
/// of the system's, as everywhere.
#[derive(Clone)]
pub struct Settings {
    /// A PEM file with authorities that are trusted beside those of the system.
    pub extra_authorities: Option<PathBuf>,
    /// Whether the system's authorities are trusted.
    pub system_authorities: bool,
    /// What names stand for.
    pub names: Arc<dyn Resolve>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { extra_authorities: None, system_authorities: true, names: Arc::new(System) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("extra_authorities", &self.extra_authorities)
            .field("system_authorities", &self.system_authorities)
            .finish_non_exhaustive()
    }
}
