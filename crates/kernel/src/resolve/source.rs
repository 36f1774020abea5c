//! Where versions come from that are not on this machine.

use std::collections::BTreeSet;

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{PluginId, Result};

use super::available::{Available, Release, Standing, is_host};
use super::request::Requirement;

/// A repository, or whatever else offers plugins.
pub trait PackageSource: Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> &str;

    /// The versions that it offers of a plugin, in any order; none where it has no such plugin. May block. `standing` does
    /// not matter: what comes from here is offered.
    ///
    /// # Errors
    /// Why it cannot say; then nothing is resolved, since what is not known might be what is needed.
    fn releases(&self, id: &PluginId) -> Result<Vec<Release>>;
}

/// Adds what a source offers of the plugins that are asked for, and of all that any version of these can need or use.
///
/// # Errors
/// The source's; what `stop` says, which is asked before each plugin.
pub fn add_offered(
    available: &mut Available,
    source: &dyn PackageSource,
    roots: &[Requirement],
    stop: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let mut seen: BTreeSet<PluginId> = roots.iter().map(|root| root.id.clone()).collect();
    let mut left: Vec<PluginId> = seen.iter().cloned().collect();
    while let Some(id) = left.pop() {
        stop()?;
        let offered = source.releases(&id).map_err(|error| error.with("source", source.name()))?;
        for release in offered {
            available.add(id.clone(), Release { standing: Standing::Offered, ..release });
        }
        let needed = available.releases(&id).iter().flat_map(|release| &release.dependencies).filter(|it| counts(it));
        left.extend(needed.filter(|needed| seen.insert(needed.id.clone())).map(|needed| needed.id.clone()));
    }
    Ok(())
}

fn counts(needed: &Dependency) -> bool {
    needed.kind != DependencyKind::Dev && !is_host(&needed.id)
}
