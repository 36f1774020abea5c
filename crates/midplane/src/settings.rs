//! The host's settings from files, the environment and the command line, and what a kernel makes of them.
//!
//! [`read`] reads, `contract::settings` says what it means, [`kernel`] and [`policies`] put it into effect, and
//! [`Watch`] does so again whenever a file changes. [`Discovery`] looks into the plugin folders.

mod discovery;
mod folders;
mod interfaces;
mod rules;
mod store;
mod watch;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use midplane_contract::settings::{HostLimits, Layer, PluginSettings, Settled, VARIABLE_PREFIX, settle};
use midplane_contract::{Code, Error, PluginId, Result, Settings, defaults};
use midplane_kernel::{Bounds, Builder, Policy, Stores};

pub use discovery::{Discovery, Looked, Unusable, Watching};
pub use folders::{are_defaults, expand_home, folders};
pub use interfaces::interfaces;
#[cfg(feature = "redis")]
pub(crate) use store::missing;
pub use watch::Watch;

/// Where settings come from, beside the environment.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Files; later ones stand over earlier ones.
    pub files: Vec<PathBuf>,
    /// Assignments like `load.auto=true`, which stand over everything else.
    pub assignments: Vec<String>,
}

/// Reads every layer: defaults, then the files, then variables `MIDPLANE__…` of the environment, then the assignments.
///
/// # Errors
/// `io` for a file that cannot be read. What is wrong with the settings themselves is told in [`Settled::faults`].
pub fn read(sources: &Sources) -> Result<Settled> {
    let variables: BTreeMap<String, String> = environment().collect();
    let mut layers = Vec::new();
    for file in &sources.files {
        layers.push(Layer::file(&file.display().to_string(), &text(file)?, &variables));
    }
    let set = variables.iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX));
    layers.extend(set.filter_map(|(name, value)| Layer::variable(name, value)));
    layers.extend(sources.assignments.iter().map(|text| Layer::assignment(text)));
    Ok(settle(layers))
}

/// Variables that are text, by name.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A settings file, or one that settings name, and one byte more than it may have, so that too much is noticed.
///
/// # Errors
/// `io`.
pub fn text(file: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(defaults::MANIFEST_SIZE as u64 + 1).read_to_end(&mut text));
    opened.map(|_| text).map_err(|error| {
        Error::new(Code::Io, format!("the file {} cannot be read", file.display()))
            .remedy("check its name, and who may read it")
            .caused_by(&error)
            .with("file", file.display().to_string())
    })
}

/// Begins a kernel with every runtime of this build, as the settings say. `data` is the host's data folder, if it has one:
/// what lasts is kept there, and configurations as well where the settings say `store: {kind: database}`.
///
/// # Errors
/// Those of opening the store of the settings: `storage`, `config_invalid` for a database without a folder, and
/// `not_supported` for a kind that this build leaves out. A Redis server need not be there yet.
pub fn kernel(settings: &Settings, data: Option<Stores>) -> Result<Builder> {
    let mut builder = crate::kernel()
        .concurrent_loads(settings.load.concurrent)
        .load_time(settings.load.timeout)
        .secrets(settings.secrets.clone())
        .limits(settings.limits.limits())
        .compatibility(rules::rules(&settings.compatibility))
        .versions(rules::selection(&settings.versions))
        .bounds(bounds(&settings.limits))
        .drain(settings.shutdown.drain);
    if let Some(wanted) = &settings.store {
        builder = builder.config_store(store::open(wanted, data.as_ref())?);
    }
    Ok(match data {
        Some(stores) => builder.stores(stores),
        None => builder,
    })
}

/// What the settings decide about single plugins.
#[must_use]
pub fn policies(settings: &Settings) -> BTreeMap<PluginId, Policy> {
    settings.plugins.iter().map(|(id, plugin)| (id.clone(), policy(plugin))).collect()
}

fn policy(plugin: &PluginSettings) -> Policy {
    Policy {
        enabled: plugin.enabled,
        trust: plugin.trust,
        runtime: plugin.runtime(),
        placement: plugin.placement,
        priority: plugin.priority,
        grants: plugin.permissions.clone(),
        config: plugin.config.clone(),
        limits: plugin.limits.limits(),
        bounds: bounds(&plugin.limits),
    }
}

/// Those of the limits that manifests know nothing of.
fn bounds(limits: &HostLimits) -> Bounds {
    Bounds {
        instances: limits.instances,
        subscriber_queue: limits.subscriber_queue,
        publish_rate: limits.publish_rate,
        call_depth: limits.call_depth,
        log_line: limits.log_line,
    }
}

#[cfg(test)]
mod tests;
