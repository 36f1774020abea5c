//! Asking a bare file who it is.

use std::path::PathBuf;
use std::sync::Arc;

use midplane_contract::version::parse_version;
use midplane_contract::{Code, Error, Limits, Manifest, Placement, PluginId, Result, RuntimeKind, Trust};

use crate::assemble::{Runtimes, enforceable, find};
use crate::discover::Found;
use crate::kernel::Inner;
use crate::policy::Policy;
use crate::runtime::{CodeFacts, LoadRequest};
use crate::{config, placement};

/// What the operator's decisions leave undone: a placement or limits that cannot be had, a configuration that does not
/// fit.
pub(crate) fn refusals(kernel: &Inner, manifest: &Manifest, policy: &Policy) -> Vec<Error> {
    let kind = manifest.entry.runtime;
    let limits = kernel.limits(&manifest.limits, &policy.limits);
    let place = || {
        let placement = placement::decide(&manifest.entry, policy.trust, policy.placement, manifest.placement)?;
        enforceable(find(&kernel.runtimes, kind, placement)?.as_ref(), kind, placement, &limits)
    };
    let config = || {
        let operator = kernel.secrets.resolve(&policy.config)?;
        config::effective(manifest.config_schema.as_ref(), &manifest.config, &operator)
    };
    let faults = [policy.expects(manifest).err(), place().err(), config().err()];
    faults.into_iter().flatten().collect()
}

/// Fills the manifest of a bare file from the file's own `info`, and says what its runtime found out. Loads the code
/// and lets it go again.
pub(crate) fn bare(mut found: Found, runtimes: &Runtimes, cache: PathBuf) -> Result<(Found, CodeFacts)> {
    let kind = found.manifest.entry.runtime;
    // Native code is a stranger here: never in this process just to be asked its name.
    let placement = if kind == RuntimeKind::Native { Placement::Worker } else { Placement::InProcess };
    let runtime = find(runtimes, kind, placement)?;
    let request = LoadRequest {
        manifest: Arc::new(found.manifest.clone()),
        folder: found.folder.clone(),
        main: found.main.clone(),
        generation: 0,
        placement,
        trust: Trust::Normal,
        limits: Limits::default(),
        instances: found.manifest.instances,
        cache,
    };
    let code = runtime.load(&request)?;
    let info = &code.facts().info;
    let manifest = &mut found.manifest;
    if !info.id.is_empty() {
        manifest.id = PluginId::new(&info.id).map_err(|error| wrong(&found.main, &error.to_string()))?;
        manifest.name = info.id.clone();
    }
    if !info.version.is_empty() {
        manifest.version = parse_version(&info.version).map_err(|error| wrong(&found.main, &error.to_string()))?;
    }
    if !info.name.is_empty() {
        manifest.name = info.name.clone();
    }
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    manifest.description = text(&info.description);
    manifest.author = text(&info.author);
    manifest.license = text(&info.license);
    manifest.homepage = text(&info.homepage);
    manifest.tags = info.tags.clone();
    manifest.capabilities = info.capabilities.clone();
    manifest.actions = info.actions.clone();
    manifest.dependencies = info.dependencies.clone();
    Ok((found, code.facts().clone()))
}

fn wrong(main: &std::path::Path, why: &str) -> Error {
    Error::new(Code::ManifestInvalid, format!("{}: what the file says of itself cannot be used: {why}", main.display()))
        .remedy("correct the plugin's `info`, or put a manifest beside the file")
}
