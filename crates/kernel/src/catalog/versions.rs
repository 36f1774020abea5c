//! Versions of a plugin, side by side: those that a scan found, and those that somebody has told of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use midplane_contract::{PluginId, Result, Version};
use serde::{Deserialize, Serialize};

use super::rows::{parse, revise};
use super::{By, Catalog, Entry};

const VERSIONS: &str = "versions";

/// What is known of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// The version.
    pub version: Version,
    /// When it came out, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<Timestamp>,
    /// What is new in it.
    #[serde(default)]
    pub changelog: String,
    /// SHA-256 of its code, in hexadecimal digits; empty where it is not known.
    #[serde(default)]
    pub checksum: String,
    /// Bytes of its code; 0 where that is not known.
    #[serde(default)]
    pub size: u64,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Fit for everybody. A pre-release is not, unless it is marked so.
    #[serde(default)]
    pub is_stable: bool,
    /// To be used no longer.
    #[serde(default)]
    pub is_deprecated: bool,
}

/// Marks to change; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// [`VersionInfo::is_stable`].
    pub stable: Option<bool>,
    /// [`VersionInfo::is_deprecated`].
    pub deprecated: Option<bool>,
}

impl VersionInfo {
    /// A version of which nothing else is known.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            is_stable: version.pre.is_empty(),
            version,
            release_date: None,
            changelog: String::new(),
            checksum: String::new(),
            size: 0,
            metadata: BTreeMap::new(),
            is_deprecated: false,
        }
    }

    /// What an entry says of its version. The changelog is its manifest's `metadata.changelog`, where that is text.
    fn found(entry: &Entry) -> Option<Self> {
        let manifest = entry.manifest.as_ref().filter(|_| entry.is_valid)?;
        let published = manifest.package.as_ref().and_then(|package| package.publish_time.as_deref());
        let changelog = manifest.metadata.get("changelog").and_then(|text| text.as_str());
        Some(Self {
            release_date: published.and_then(|time| time.parse().ok()),
            changelog: changelog.unwrap_or_default().to_owned(),
            checksum: entry.checksum.clone(),
            size: entry.size,
            ..Self::new(manifest.version.clone())
        })
    }
}

impl Catalog {
    /// Tells of a version; what was told of the same one before is replaced.
    ///
    /// # Errors
    /// `storage`.
    pub fn record_version(&self, id: &PluginId, info: &VersionInfo) -> Result<()> {
        let key = key(id, &info.version);
        self.stores.state.change(&mut |change| revise(change, (VERSIONS, &key), |_| Ok(Some(info.clone()))))
    }

    /// Marks a version, which need not have been told of.
    ///
    /// # Errors
    /// `storage`.
    pub fn mark_version(&self, id: &PluginId, version: &Version, marks: Marks) -> Result<()> {
        let known = self.versions(id)?.into_iter().find(|info| info.version == *version);
        let known = known.unwrap_or_else(|| VersionInfo::new(version.clone()));
        self.stores.state.change(&mut |change| {
            revise(change, (VERSIONS, &key(id, version)), |is: Option<VersionInfo>| {
                let mut info = is.unwrap_or_else(|| known.clone());
                info.is_stable = marks.stable.unwrap_or(info.is_stable);
                info.is_deprecated = marks.deprecated.unwrap_or(info.is_deprecated);
                Ok(Some(info))
            })
        })
    }

    /// Every known version, the highest first. What was told of one goes before what a scan found.
    ///
    /// # Errors
    /// `storage`.
    pub fn versions(&self, id: &PluginId) -> Result<Vec<VersionInfo>> {
        let found = self.by(By::Id(id.as_str()));
        let mut versions: BTreeMap<Version, VersionInfo> = BTreeMap::new();
        for info in found.iter().filter_map(|entry| VersionInfo::found(entry)) {
            versions.entry(info.version.clone()).or_insert(info);
        }
        for (key, row) in self.stores.state.scan(VERSIONS, &format!("{id}/"))? {
            let info: VersionInfo = parse(VERSIONS, &key, &row)?;
            versions.insert(info.version.clone(), info);
        }
        Ok(versions.into_values().rev().collect())
    }

    /// The highest version that is stable and not deprecated; where there is none, the highest that is not deprecated;
    /// else the highest.
    ///
    /// # Errors
    /// `storage`.
    pub fn latest_version(&self, id: &PluginId) -> Result<Option<VersionInfo>> {
        let rank = |info: &VersionInfo| (!info.is_deprecated, info.is_stable, info.version.clone());
        Ok(self.versions(id)?.into_iter().max_by_key(rank))
    }
}

fn key(id: &PluginId, version: &Version) -> String {
    format!("{id}/{version}")
}
