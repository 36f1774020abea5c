//! Whether a plugin can run on this machine and with this contract.

mod machine;

use midplane_contract::manifest::{Compatibility, Manifest, Resources};
use midplane_contract::{CONTRACT_VERSION, Code, Error, Result, VersionRange};

pub use machine::Machine;

/// Whether a plugin can run on a machine.
///
/// # Errors
/// The first reason why not, as [`refusals`] gives them.
pub fn check(manifest: &Manifest, machine: &Machine) -> Result<()> {
    refusals(manifest, machine).into_iter().next().map_or(Ok(()), Err)
}

/// Every reason why a plugin cannot run on a machine: `unsupported_platform` for its system, processor, memory and
/// graphics processor, `version_mismatch {required, found}` for the contract. Pure. Facts that the machine does not
/// know are not held against the plugin.
#[must_use]
pub fn refusals(manifest: &Manifest, machine: &Machine) -> Vec<Error> {
    let wanted = &manifest.compatibility;
    let mut refusals = Vec::new();
    refusals.extend(listed("operating system", &wanted.platforms, &machine.os, system));
    refusals.extend(listed("processor", &wanted.architectures, &machine.arch, processor));
    refusals.extend(resources(&manifest.resources, machine));
    refusals.extend(contract(manifest, wanted));
    refusals.into_iter().map(|error| error.plugin(&manifest.id)).collect()
}

/// One name for each operating system, whatever a plugin's author calls it.
#[must_use]
pub fn system(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "win32" | "win64" | "windows" | "win" => "windows",
        "darwin" | "macos" | "osx" | "mac" => "macos",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// One name for each processor, whatever a plugin's author calls it.
#[must_use]
pub fn processor(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "x64" | "amd64" | "x86_64" | "x86-64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        "ia32" | "x86" | "386" | "i386" | "i586" | "i686" => "x86",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// A machine is meant by a list that is empty, names it or `*`, or only excludes others with `!`.
fn listed(what: &str, list: &[String], found: &str, name: fn(&str) -> String) -> Option<Error> {
    let found_name = name(found);
    let means = |entry: &str| entry.trim() == "*" || name(entry) == found_name;
    let (excluded, included): (Vec<&str>, Vec<&str>) =
        list.iter().map(String::as_str).partition(|entry| entry.starts_with('!'));
    let out = excluded.iter().any(|entry| means(entry.trim_start_matches('!')));
    let inside = included.is_empty() || included.iter().any(|entry| means(entry));
    if inside && !out {
        return None;
    }
    let required = list.join(", ");
    let message = format!("the plugin is made for {what} {required}; this one is {found_name}");
    Some(
        Error::new(Code::UnsupportedPlatform, message)
            .remedy(format!("use a build of the plugin for {found_name}"))
            .with("required", required)
            .with("found", found_name),
    )
}

fn resources(wanted: &Resources, machine: &Machine) -> Vec<Error> {
    let mut refusals = Vec::new();
    if let (Some(wanted), Some(found)) = (wanted.min_memory_mb, machine.memory_mb)
        && found < wanted
    {
        let message = format!("the plugin needs a machine with {wanted} MiB of memory; this one has {found}");
        refusals.push(
            Error::new(Code::UnsupportedPlatform, message)
                .remedy("run it on a larger machine, or lower resources.min_memory_mb")
                .with("required", wanted)
                .with("found", found),
        );
    }
    if wanted.requires_gpu && machine.gpu == Some(false) {
        refusals.push(
            Error::new(Code::UnsupportedPlatform, "the plugin needs a graphics processor; this machine has none")
                .remedy("run it on a machine with one, or set resources.requires_gpu to false")
                .with("required", "gpu"),
        );
    }
    refusals
}

fn contract(manifest: &Manifest, wanted: &Compatibility) -> Vec<Error> {
    let mut refusals = Vec::new();
    let engines = wanted.engines.iter().filter(|engine| engine.name == "midplane").map(|engine| &engine.range);
    let core = manifest.dependencies.iter().filter(|dependency| dependency.id.as_str() == "core");
    let ranges = wanted.core_version.iter().chain(engines).chain(core.map(|dependency| &dependency.version));
    for range in ranges.filter(|range: &&VersionRange| !range.matches(&CONTRACT_VERSION)) {
        refusals.push(mismatch(range.to_string()));
    }
    if let Some(least) = wanted.min_version.as_ref().filter(|least| **least > CONTRACT_VERSION) {
        refusals.push(mismatch(format!(">={least}")));
    }
    if let Some(most) = wanted.max_version.as_ref().filter(|most| **most < CONTRACT_VERSION) {
        refusals.push(mismatch(format!("<={most}")));
    }
    refusals
}

fn mismatch(required: String) -> Error {
    let message = format!("the plugin needs contract {required}; this host speaks {CONTRACT_VERSION}");
    Error::new(Code::VersionMismatch, message)
        .remedy(format!("use a version of the plugin for contract {CONTRACT_VERSION}, or another host"))
        .with("required", required)
        .with("found", CONTRACT_VERSION.to_string())
}

#[cfg(test)]
mod tests;
