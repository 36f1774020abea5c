//! Whether a plugin can run on a machine, and how: what requirement 004 calls compatibility.
//!
//! [`Platform`] is a machine with the operator's [`Rules`] and the [`Adapter`]s that code is executed by.
//! [`Platform::assess`] gives the whole [`Verdict`]; [`Platform::refusals`] only the reasons why not. Pure, except for
//! [`Machine::current`].

mod adapter;
mod machine;
mod names;
mod refusals;
mod rules;
mod verdict;

use std::collections::BTreeMap;

use midplane_contract::manifest::{Compatibility, Dependency, Manifest, Resources};
use midplane_contract::{Error, Result, RuntimeKind};

use crate::resolve::Release;

pub use adapter::{Adapter, Format};
pub use machine::Machine;
pub use names::{processor, system};
pub use rules::{AdapterRule, Detection, FallbackStrategy, Rules};
pub use verdict::Verdict;

/// A machine, and what its operator decided about running plugins on it.
#[derive(Debug, Clone)]
pub struct Platform {
    /// The machine as it counts: after overrides.
    pub machine: Machine,
    /// What the operator decided.
    pub rules: Rules,
    /// What code is executed by; an embedder may add its own.
    pub adapters: Vec<Adapter>,
}

impl Platform {
    /// This machine, with these rules and the adapters of requirement 004.
    #[must_use]
    pub fn current(rules: Rules) -> Self {
        Self::of(Machine::current(), rules)
    }

    /// Another machine.
    #[must_use]
    pub fn of(machine: Machine, rules: Rules) -> Self {
        let machine = rules.platform_detection.apply(machine);
        Self { machine, rules, adapters: Adapter::standard() }
    }

    /// This machine with every runtime that there is and nothing decided: for those who have no host yet.
    #[must_use]
    pub fn anywhere() -> Self {
        let machine = Machine::current().with_runtimes(RuntimeKind::ALL.iter().copied());
        Self::of(machine, Rules::default())
    }

    /// Every reason why a plugin cannot run here, fallbacks considered: `unsupported_platform` for its system, processor,
    /// memory, graphics processor, capabilities and format, `version_mismatch {required, found}` for the contract. Facts
    /// that nobody could find out are held against a plugin only in strict mode.
    #[must_use]
    pub fn refusals(&self, needs: &Needs<'_>) -> Vec<Error> {
        refusals::all(self, needs)
    }

    /// The formats that can be executed here, by the adapter that does it.
    #[must_use]
    pub fn formats(&self) -> BTreeMap<&str, Vec<Format>> {
        let available = self.adapters.iter().filter(|adapter| adapter.is_available(&self.machine, &self.rules));
        available.map(|adapter| (adapter.name.as_str(), adapter.formats(&self.rules))).collect()
    }

    /// Whether a plugin is made for other systems and has a fallback that works here.
    #[must_use]
    pub fn needs_fallback(&self, needs: &Needs<'_>) -> bool {
        refusals::needs_fallback(self, needs)
    }

    /// Whether a plugin can run here, why not, and by what.
    #[must_use]
    pub fn assess(&self, needs: &Needs<'_>) -> Verdict {
        verdict::of(self, needs)
    }
}

/// What a plugin says about where it can run.
#[derive(Debug, Clone, Copy)]
pub struct Needs<'a> {
    /// Systems, processors, capabilities, the contract.
    pub compatibility: &'a Compatibility,
    /// Memory and graphics processor.
    pub resources: &'a Resources,
    /// Its dependencies; only those on `core` count here.
    pub dependencies: &'a [Dependency],
    /// What executes it.
    pub runtime: RuntimeKind,
    /// The file with its code, where that is known.
    pub main: Option<&'a str>,
}

impl<'a> Needs<'a> {
    /// What a manifest says.
    #[must_use]
    pub fn of(manifest: &'a Manifest) -> Self {
        Self {
            compatibility: &manifest.compatibility,
            resources: &manifest.resources,
            dependencies: &manifest.dependencies,
            runtime: manifest.entry.runtime,
            main: Some(manifest.entry.main.as_str()).filter(|main| !main.is_empty()),
        }
    }

    /// What is known of a version that may not be here yet.
    #[must_use]
    pub fn of_release(release: &'a Release) -> Self {
        Self {
            compatibility: &release.compatibility,
            resources: &release.resources,
            dependencies: &release.dependencies,
            runtime: release.runtime,
            main: None,
        }
    }
}

/// Whether a plugin can run on a platform.
///
/// # Errors
/// The first reason why not, as [`Platform::refusals`] gives them.
pub fn check(manifest: &Manifest, platform: &Platform) -> Result<()> {
    refusals(manifest, platform).into_iter().next().map_or(Ok(()), Err)
}

/// Every reason why a plugin cannot run on a platform, naming the plugin.
#[must_use]
pub fn refusals(manifest: &Manifest, platform: &Platform) -> Vec<Error> {
    let refusals = platform.refusals(&Needs::of(manifest));
    refusals.into_iter().map(|error| error.plugin(&manifest.id)).collect()
}

#[cfg(test)]
mod tests;
