//! Who of several providers is called. Pure.

use std::cmp::Reverse;

use midplane_contract::{HealthStatus, Placement};
use serde::{Deserialize, Serialize};

/// How to choose among providers that are equally good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The one with the fewest calls under way that came through an interface.
    LeastInFlight,
}

/// How good a provider is: the smallest is called. Who says that it is unhealthy comes last, then the priority decides,
/// then how near it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    unhealthy: bool,
    priority: Reverse<i32>,
    distance: u8,
}

impl Rank {
    pub(super) fn of(health: Option<HealthStatus>, priority: i32, placement: Placement) -> Self {
        let distance = match placement {
            Placement::InProcess => 0,
            Placement::Worker => 1,
            Placement::Remote => 2,
        };
        Self { unhealthy: health == Some(HealthStatus::Unhealthy), priority: Reverse(priority), distance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_comes_before_priority_and_priority_before_distance() {
        let rank = Rank::of;
        let (sick, well) = (Some(HealthStatus::Unhealthy), Some(HealthStatus::Degraded));
        assert!(rank(well, 0, Placement::Remote) < rank(sick, 100, Placement::InProcess));
        assert!(rank(None, 100, Placement::Remote) < rank(None, 90, Placement::InProcess));
        assert!(rank(None, 0, Placement::InProcess) < rank(None, 0, Placement::Worker));
        assert!(rank(None, 0, Placement::Worker) < rank(well, 0, Placement::Remote));
        assert_eq!(rank(None, 7, Placement::Worker), rank(well, 7, Placement::Worker));
    }
}
