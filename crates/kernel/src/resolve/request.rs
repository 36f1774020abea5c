//! What is wanted.

use midplane_contract::{Error, PluginId, VersionRange};

use super::selection::Selection;
use crate::platform::Platform;

/// A question to [`super::resolve`].
pub struct Request<'a> {
    /// What must be there; several for one id must all be met.
    pub roots: Vec<Requirement>,
    /// Which versions ranges take, and which of them is chosen.
    pub selection: Selection,
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

impl Request<'_> {
    /// Asks for these, for any machine, with no end to the search.
    #[must_use]
    pub fn new(roots: Vec<Requirement>) -> Self {
        Self { roots, selection: Selection::default(), platform: None, stop: &|| Ok(()) }
    }
}

impl Requirement {
    /// Any version of a plugin.
    #[must_use]
    pub fn any(id: PluginId) -> Self {
        Self { id, range: VersionRange::any() }
    }
}
