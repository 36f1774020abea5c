//! Why a version cannot be used at all, whatever else is chosen.

use std::fmt;

use midplane_contract::PluginId;

/// The dependencies of one version that nothing can meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason(pub(super) Vec<Block>);

/// A requirement that nothing can meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) id: PluginId,
    pub(super) range: String,
    pub(super) cause: Cause,
}

/// What is wrong with everything that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// There is no such plugin.
    Missing,
    /// No version is in the range.
    NoVersion,
    /// What is in the range cannot run where the plan is for.
    Unusable,
    /// It is only demanded by those who want it beside them, and not installed in a version in the range.
    NotInstalled,
    /// Another version was chosen before.
    Held,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = self.0.iter().map(|block| format!("{} {}", block.id, block.range));
        f.write_str(&blocks.collect::<Vec<_>>().join(", "))
    }
}
