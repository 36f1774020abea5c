//! Which versions a range takes, as the operator decides.

use midplane_contract::settings::Strategy;
use midplane_contract::{Version, VersionRange, version};

/// What the operator decides about versions: `versions` in the settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection {
    /// Which of the versions that fit.
    pub strategy: Strategy,
    /// Whether ranges that name no pre-release take them as well.
    pub allow_prerelease: bool,
}

impl Selection {
    /// Whether a range takes a version.
    #[must_use]
    pub fn takes(&self, range: &VersionRange, version: &Version) -> bool {
        self.takes_as(range, self.exactly(range).as_ref(), version)
    }

    /// The one version that a range means under the strategy `exact`, where it has no operator.
    pub(super) fn exactly(&self, range: &VersionRange) -> Option<Version> {
        match self.strategy {
            Strategy::Exact => version::parse_version(range.as_str()).ok(),
            Strategy::Semver | Strategy::Latest => None,
        }
    }

    /// As [`Selection::takes`], where it is known what the range means exactly.
    pub(super) fn takes_as(&self, range: &VersionRange, exactly: Option<&Version>, version: &Version) -> bool {
        match exactly {
            Some(exactly) => exactly == version,
            None if self.allow_prerelease => range.matches_prerelease(version),
            None => range.matches(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_version_means_itself_alone_and_pre_releases_are_taken_where_they_are_welcome() {
        let takes = |strategy, allow_prerelease, range: &str, version: &str| {
            let selection = Selection { strategy, allow_prerelease };
            selection.takes(&range.parse().unwrap(), &version.parse().unwrap())
        };
        assert!(takes(Strategy::Semver, false, "1.2.0", "1.3.0"));
        assert!(!takes(Strategy::Exact, false, "1.2.0", "1.3.0"));
        assert!(takes(Strategy::Exact, false, "1.2.0", "1.2.0"));
        assert!(takes(Strategy::Exact, false, "^1.2.0", "1.3.0"));
        assert!(!takes(Strategy::Latest, false, "^1.2.0", "1.3.0-rc.1"));
        assert!(takes(Strategy::Latest, true, "^1.2.0", "1.3.0-rc.1"));
    }
}
