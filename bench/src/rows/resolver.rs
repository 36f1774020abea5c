//! Ten thousand packages with ten versions each and five dependencies per version.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use midplane::contract::manifest::{Dependency, DependencyKind};
use midplane::resolve::{Available, Release, Request, Requirement, resolve};
use midplane::{Error, PluginId, Version, VersionRange};
use pubgrub::{OfflineDependencyProvider, Ranges, SemanticVersion};

use super::Row;
use crate::measure::{Effort, Measured, in_turn, spin};
use crate::target::Target;

const PACKAGES: u32 = 10_000;
const VERSIONS: u32 = 10;
const DEPENDENCIES: u32 = 5;
/// How far below itself a package looks for what it depends on.
const REACH: u32 = 200;

type Raw = OfflineDependencyProvider<String, Ranges<SemanticVersion>>;

pub(crate) fn rows() -> Vec<Row> {
    vec![Row { name: "resolver: 10,000 × 10 × 5", run: thousands }]
}

fn thousands(row: &'static str, effort: Effort, handicap: Duration) -> Result<Measured> {
    let (theirs, available) = packages()?;
    let request = Request::new(vec![Requirement::any(id(0)?)]);
    let first = id(0)?.to_string();
    let mut raw = |times| {
        for _ in 0..times {
            let newest = SemanticVersion::new(1, VERSIONS - 1, 0);
            pubgrub::resolve(&theirs, first.clone(), newest).map_err(|error| anyhow!("{error}"))?;
        }
        Ok(())
    };
    let mut ours = |times| {
        for _ in 0..times {
            spin(handicap);
            let plan = resolve(&available, &request).map_err(Error::from)?;
            plan.steps.last().context("an empty plan")?;
        }
        Ok(())
    };
    let note = "performance.md; raw: pubgrub on the same names, versions as intervals; ours: ranges as written, and the load order";
    in_turn(row, note, Target::TimesRaw(1.5), effort, (&mut raw, &mut ours))
}

fn id(number: u32) -> Result<PluginId> {
    Ok(PluginId::new(format!("plugin-{number:05}"))?)
}

/// The same packages twice. Each depends on some of the next ones, from some version on: all of that can be met.
fn packages() -> Result<(Raw, Available)> {
    let (mut raw, mut available) = (Raw::new(), Available::new());
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    // Marsaglia's xorshift: the same packages in every run.
    let mut roll = |sides: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % u64::from(sides)) as u32
    };
    for package in 0..PACKAGES {
        for version in 0..VERSIONS {
            let below = (PACKAGES - package - 1).min(REACH);
            let mut edges: Vec<(u32, u32)> = Vec::new();
            for _ in 0..DEPENDENCIES.min(below) {
                let (on, least) = (package + 1 + roll(below), roll(4));
                if edges.iter().all(|(known, _)| *known != on) {
                    edges.push((on, least));
                }
            }
            let theirs: Vec<_> = edges.iter().map(|(on, least)| interval(*on, *least)).collect::<Result<_>>()?;
            raw.add_dependencies(id(package)?.to_string(), SemanticVersion::new(1, version, 0), theirs);
            let mut release = Release::new(Version::new(1, version.into(), 0));
            release.dependencies = edges.iter().map(|(on, least)| edge(*on, *least)).collect::<Result<_>>()?;
            available.add(id(package)?, release);
        }
    }
    Ok((raw, available))
}

/// What `^1.LEAST` means.
fn interval(on: u32, least: u32) -> Result<(String, Ranges<SemanticVersion>)> {
    let range = Ranges::between(SemanticVersion::new(1, least, 0), SemanticVersion::new(2, 0, 0));
    Ok((id(on)?.to_string(), range))
}

fn edge(on: u32, least: u32) -> Result<Dependency> {
    let version = VersionRange::parse(&format!("^1.{least}"))?;
    Ok(Dependency { id: id(on)?, version, optional: false, kind: DependencyKind::Run })
}
