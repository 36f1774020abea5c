//! Why a plugin cannot run on a platform.

use midplane_contract::manifest::Compatibility;
use midplane_contract::{CONTRACT_VERSION, Code, Error, RuntimeKind, VersionRange};

use super::adapter::Format;
use super::names::means;
use super::verdict::{adapters, fallbacks};
use super::{Needs, Platform, processor, system};

/// Every reason, fallbacks considered.
pub(super) fn all(platform: &Platform, needs: &Needs<'_>) -> Vec<Error> {
    let (machine, wanted) = (&platform.machine, needs.compatibility);
    let mut refusals = Vec::new();
    let by_fallback = needs_fallback(platform, needs);
    if !by_fallback && !means(&wanted.platforms, &machine.os, system) && is_known(&machine.os) {
        refusals.push(listed("operating system", &wanted.platforms, &system(&machine.os)));
    }
    if !processor_fits(platform, needs) {
        refusals.push(listed("processor", &wanted.architectures, &processor(&machine.arch)));
    }
    refusals.extend(resources(platform, needs));
    refusals.extend(contract(needs));
    let missing = missing_capabilities(platform, needs);
    if !missing.is_empty() {
        refusals.push(capabilities(missing, &machine.capabilities));
    }
    if refusals.is_empty() && !by_fallback && adapters(platform, needs).is_empty() {
        refusals.push(no_adapter(platform, needs));
    }
    if platform.rules.strict_mode {
        refusals.extend(unknown(platform, needs).into_iter().map(in_strict_mode));
        if is_silent(needs) {
            refusals.push(in_strict_mode("No compatibility information provided".to_owned()));
        }
    }
    refusals
}

/// Whether a plugin is made for other systems and has a fallback that works here.
pub(super) fn needs_fallback(platform: &Platform, needs: &Needs<'_>) -> bool {
    !means(&needs.compatibility.platforms, &platform.machine.os, system) && !fallbacks(platform, needs).is_empty()
}

/// Whether a plugin says nothing about where it can run.
pub(super) fn is_silent(needs: &Needs<'_>) -> bool {
    *needs.compatibility == Compatibility::default()
}

/// Whether the processor is one of those that a plugin is made for, or may be emulated.
pub(super) fn processor_fits(platform: &Platform, needs: &Needs<'_>) -> bool {
    let arch = &platform.machine.arch;
    means(&needs.compatibility.architectures, arch, processor) || !is_known(arch) || is_emulated(platform, needs)
}

/// Whether a plugin is a process for another processor, which the machine emulates and the operator lets it.
pub(super) fn is_emulated(platform: &Platform, needs: &Needs<'_>) -> bool {
    let Platform { machine, rules, .. } = platform;
    let wanted = &needs.compatibility.architectures;
    rules.fallback_strategy.allow_emulation
        && needs.runtime == RuntimeKind::Process
        && !means(wanted, &machine.arch, processor)
        && machine.emulates.iter().any(|other| means(wanted, other, processor))
}

pub(super) fn missing_capabilities(platform: &Platform, needs: &Needs<'_>) -> Vec<String> {
    let has = |wanted: &&String| platform.machine.capabilities.iter().any(|has| has.eq_ignore_ascii_case(wanted));
    needs.compatibility.capabilities.iter().filter(|wanted| !has(wanted)).cloned().collect()
}

/// What a plugin needs to know about the machine and nobody could find out.
pub(super) fn unknown(platform: &Platform, needs: &Needs<'_>) -> Vec<String> {
    let (machine, wanted) = (&platform.machine, needs.compatibility);
    let facts = [
        (!wanted.platforms.is_empty() && !is_known(&machine.os), "operating system"),
        (!wanted.architectures.is_empty() && !is_known(&machine.arch), "processor"),
        (needs.resources.min_memory_mb.is_some() && machine.memory_mb.is_none(), "memory"),
        (needs.resources.requires_gpu && machine.gpu.is_none(), "graphics processor"),
    ];
    let unknown = facts.into_iter().filter(|(unknown, _)| *unknown);
    unknown.map(|(_, what)| format!("the plugin asks for a certain {what}, and this machine's is not known")).collect()
}

fn is_known(name: &str) -> bool {
    !name.is_empty()
}

fn listed(what: &str, list: &[String], found: &str) -> Error {
    let required = list.join(", ");
    let message = format!("the plugin is made for {what} {required}; this one is {found}");
    Error::new(Code::UnsupportedPlatform, message)
        .remedy(format!("use a build of the plugin for {found}"))
        .with("required", required)
        .with("found", found)
}

fn capabilities(missing: Vec<String>, found: &[String]) -> Error {
    let message = format!("the plugin needs what this host cannot do: {}", missing.join(", "));
    Error::new(Code::UnsupportedPlatform, message)
        .remedy(format!("run it on a host with that; this one has: {}", found.join(", ")))
        .with("required", missing)
        .with("found", found)
}

fn no_adapter(platform: &Platform, needs: &Needs<'_>) -> Error {
    let format = Format::of(needs, &platform.machine);
    let message = format!("nothing here executes code of the format {format}");
    Error::new(Code::UnsupportedPlatform, message)
        .remedy("enable an adapter for it, or use a build of the plugin in another format")
        .with("required", format.to_string())
}

fn in_strict_mode(message: String) -> Error {
    Error::new(Code::UnsupportedPlatform, message)
        .remedy("say under `compatibility` where the plugin can run, or turn strict_mode off")
}

fn resources(platform: &Platform, needs: &Needs<'_>) -> Vec<Error> {
    let (machine, wanted) = (&platform.machine, needs.resources);
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

fn contract(needs: &Needs<'_>) -> Vec<Error> {
    let wanted = needs.compatibility;
    let mut refusals = Vec::new();
    let engines = wanted.engines.iter().filter(|engine| engine.name == "midplane").map(|engine| &engine.range);
    let core = needs.dependencies.iter().filter(|dependency| dependency.id.as_str() == "core" && !dependency.optional);
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
