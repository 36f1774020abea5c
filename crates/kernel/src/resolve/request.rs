//! What is wanted.

use midplane_contract::{Error, PluginId, VersionRange};
use serde::{Deserialize, Serialize};

use crate::platform::Platform;

/// A question to [`super::resolve`].
pub struct Request<'a> {
    /// What must be there; several for one id must all be met.
    pub roots: Vec<Requirement>,
    /// Which of the versions that fit.
    pub strategy: Strategy,
    /// Whether ranges that name no pre-release take them as well.
    pub allow_prerelease: bool,
    /// The machine that it is for; `None` when any will do.
    pub platform: Option<&'a Platform>,
    /// Asked again and again while versions are sought; an error ends the search and is the answer. A deadline and a
    /// cancellation go in here: ranges can be made so that the search would take longer than anybody lives.
    pub stop: &'a dyn Fn() -> Result<(), Error>,
}

/// A plugin that must be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// Its id.
    pub id: PluginId,
    /// Which versions will do.
    pub range: VersionRange,
}

/// Which of the versions that fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// What is there already where it fits, else the highest.
    #[default]
    Semver,
    /// As `semver`, but a version without operator (`1.2.3`) means that one and no other.
    Exact,
    /// The highest, whatever is there already.
    Latest,
}

impl Request<'_> {
    /// Asks for these, for any machine, with no end to the search.
    #[must_use]
    pub fn new(roots: Vec<Requirement>) -> Self {
        Self { roots, strategy: Strategy::default(), allow_prerelease: false, platform: None, stop: &|| Ok(()) }
    }
}

impl Requirement {
    /// Any version of a plugin.
    #[must_use]
    pub fn any(id: PluginId) -> Self {
        Self { id, range: VersionRange::any() }
    }
}
