//! Who provides an interface at the moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use midplane_contract::{Error, HealthStatus, Placement, PluginId, State, Version, VersionRange};
use serde::Serialize;

use super::choice::Rank;
use crate::kernel::Inner;
use crate::plugin::Plugin;

/// A plugin that provides an interface, at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Provider {
    /// The plugin.
    pub plugin: PluginId,
    /// The interface.
    pub interface: String,
    /// The version of the interface.
    pub version: Version,
    /// What decides among several: the highest goes first.
    pub priority: i32,
    /// Where it runs.
    pub placement: Placement,
    /// What it said when it was asked for its health last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// Calls under way that came through an interface.
    pub in_flight: usize,
    /// Why it is not called, although it says that it provides the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Error>,
}

/// A provider that can be called.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) plugin: Arc<Plugin>,
    pub(super) rank: Rank,
    repeatable: Vec<String>,
}

impl Candidate {
    /// Whether a call of this action may be repeated: the interface says so, or the plugin itself.
    pub(super) fn repeats(&self, action: &str) -> bool {
        self.repeatable.iter().any(|name| name == action)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.plugin.serving.load(Ordering::Relaxed)
    }
}

/// Everybody who runs and provides an interface in a version of this range, refused ones included, best first.
pub(crate) fn providers(kernel: &Inner, interface: &str, range: &VersionRange) -> Vec<Provider> {
    let mut found = ranked(kernel, interface, range);
    found.sort_by_key(|(candidate, provider)| (provider.refused.is_some(), candidate.rank));
    found.into_iter().map(|(_, provider)| provider).collect()
}

/// Those that can be called, best first.
pub(super) fn candidates(kernel: &Inner, interface: &str, range: &VersionRange) -> Vec<Candidate> {
    let mut found = ranked(kernel, interface, range);
    found.retain(|(_, provider)| provider.refused.is_none());
    found.sort_by_key(|(candidate, _)| candidate.rank);
    found.into_iter().map(|(candidate, _)| candidate).collect()
}

fn ranked(kernel: &Inner, interface: &str, range: &VersionRange) -> Vec<(Candidate, Provider)> {
    let one = |plugin: Arc<Plugin>| {
        let (offer, health) = {
            let life = plugin.life();
            let offers = Arc::clone(&life.offers);
            let runs = matches!(life.state, State::Running | State::Updating);
            let wanted = offers.iter().filter(|offer| offer.interface == interface && range.matches(&offer.version));
            (wanted.max_by(|a, b| a.version.cmp(&b.version)).filter(|_| runs)?.clone(), life.health)
        };
        let generation = plugin.slot.core.generation()?;
        let placement = generation.placement;
        let priority = kernel.priority(&plugin.id);
        let rank = Rank::of(health, priority, placement);
        // Noted now: when it is asked for, the plugin may have died.
        let own = generation.manifest.actions.iter().filter(|spec| spec.idempotent).map(|spec| spec.name.to_string());
        let repeatable = offer.repeatable.into_iter().chain(own).collect();
        let candidate = Candidate { plugin: Arc::clone(&plugin), rank, repeatable };
        let provider = Provider {
            plugin: plugin.id.clone(),
            interface: offer.interface,
            version: offer.version,
            priority,
            placement,
            health,
            in_flight: candidate.in_flight(),
            refused: offer.refused,
        };
        Some((candidate, provider))
    };
    kernel.plugins().into_iter().filter_map(one).collect()
}
