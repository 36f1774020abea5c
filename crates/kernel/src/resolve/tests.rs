//! Plugins are written as `a 1.0.0: b ^1, c? ^2, d+ *, e- 1`: `?` is optional, `+` a peer, `-` for development.
//! Marks after the version: `!` deprecated, `~` not stable, `@` installed, `#` loaded.

mod brute;
mod cases;
mod choice;
mod words;

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{PluginId, Version, VersionRange};

use super::*;

pub(super) fn name(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

pub(super) fn dependency(text: &str) -> Dependency {
    let (id, range) = text.trim().split_once(' ').unwrap_or((text.trim(), "*"));
    let plain = id.trim_end_matches(['?', '+', '-']);
    let kind = match id {
        _ if id.contains('+') => DependencyKind::Peer,
        _ if id.ends_with('-') => DependencyKind::Dev,
        _ => DependencyKind::Run,
    };
    Dependency { id: name(plain), version: VersionRange::parse(range).unwrap(), optional: id.contains('?'), kind }
}

/// One line as a plugin's version.
pub(super) fn release(line: &str) -> (PluginId, Release) {
    let (head, needs) = line.split_once(':').unwrap_or((line, ""));
    let (id, version) = head.trim().split_once(' ').unwrap();
    let plain = version.trim_end_matches(['!', '~', '@', '#']);
    let mut release = Release::new(Version::parse(plain).unwrap());
    release.dependencies = needs.split(',').filter(|need| !need.trim().is_empty()).map(dependency).collect();
    release.deprecated = version.contains('!').then(|| "use another".to_owned());
    release.stable = !version.contains('~');
    release.standing = match version {
        _ if version.contains('#') => Standing::Loaded,
        _ if version.contains('@') => Standing::Installed,
        _ => Standing::Offered,
    };
    (name(id), release)
}

pub(super) fn available(lines: &[&str]) -> Available {
    let mut available = Available::new();
    for line in lines {
        let (id, release) = release(line);
        available.add(id, release);
    }
    available
}

pub(super) fn roots(asked: &[&str]) -> Vec<Requirement> {
    let root = |text: &&str| {
        let Dependency { id, version, .. } = dependency(text);
        Requirement { id, range: version }
    };
    asked.iter().map(root).collect()
}

/// Resolves, and shows the plan as `id version` in order.
pub(super) fn plan(lines: &[&str], asked: &[&str]) -> Result<Vec<String>, Refusal> {
    resolve(&available(lines), &Request::new(roots(asked))).map(|plan| shown(&plan))
}

pub(super) fn shown(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}", step.id, step.version)).collect()
}
