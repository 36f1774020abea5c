//! The whole answer: whether, why not, by what.

use serde::Serialize;

use super::adapter::{Adapter, Format};
use super::names::means;
use super::{Needs, Platform, refusals};

/// The engines that rules may name; each runtime has one.
const ENGINES: [&str; 2] = ["wasmtime", "quickjs"];

/// Whether a plugin can run, as requirement 004 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it can run.
    #[serde(rename = "is_compatible")]
    pub compatible: bool,
    /// Why not, or by what detour; empty where nothing is to be said.
    pub reason: String,
    /// The adapters that execute its own code here, best first.
    pub adapters: Vec<String>,
    /// The fallbacks that are tried here where its own code cannot run, in their order.
    pub fallbacks: Vec<String>,
    /// What may turn out to be a problem.
    pub warnings: Vec<String>,
}

pub(super) fn of(platform: &Platform, needs: &Needs<'_>) -> Verdict {
    let refusals = refusals::all(platform, needs);
    let by_fallback = refusals::needs_fallback(platform, needs);
    let reason = match refusals.first() {
        Some(refusal) => reason(platform, needs, &refusal.record().message),
        None if by_fallback => "Compatible with fallback adapters".to_owned(),
        None => String::new(),
    };
    let compatible = refusals.is_empty();
    let adapters = if compatible && !by_fallback { adapters(platform, needs) } else { Vec::new() };
    let fallbacks = if compatible { fallbacks(platform, needs) } else { Vec::new() };
    // What executes it anyway is nothing to fall back to.
    let fallbacks = fallbacks.into_iter().filter(|name| !adapters.contains(name)).collect();
    Verdict { compatible, reason, adapters, fallbacks, warnings: warnings(platform, needs) }
}

/// The document's words for the reason, and ours after them.
fn reason(platform: &Platform, needs: &Needs<'_>, message: &str) -> String {
    let (machine, wanted) = (&platform.machine, needs.compatibility);
    let words = if platform.rules.strict_mode && refusals::is_silent(needs) {
        return "No compatibility information provided".to_owned();
    } else if !means(&wanted.platforms, &machine.os, super::system) {
        format!("Unsupported OS: {}", machine.os)
    } else if !refusals::processor_fits(platform, needs) {
        format!("Unsupported architecture: {}", machine.arch)
    } else if !refusals::missing_capabilities(platform, needs).is_empty() {
        "Missing required capabilities".to_owned()
    } else if adapters(platform, needs).is_empty() {
        "No suitable adapter found".to_owned()
    } else {
        return message.to_owned();
    };
    format!("{words} ({message})")
}

/// The adapters that execute a plugin's format here: native ones first, or last where the operator prefers that.
pub(super) fn adapters(platform: &Platform, needs: &Needs<'_>) -> Vec<String> {
    let Platform { machine, rules, adapters } = platform;
    let format = Format::of(needs, machine);
    let serves = |adapter: &&Adapter| adapter.is_available(machine, rules) && adapter.formats(rules).contains(&format);
    let mut serving: Vec<&Adapter> = adapters.iter().filter(serves).collect();
    serving.sort_by_key(|adapter| adapter.native != rules.fallback_strategy.prefer_native);
    serving.into_iter().map(|adapter| adapter.name.clone()).collect()
}

/// The fallbacks of a plugin that there are adapters for, as many as may be tried.
pub(super) fn fallbacks(platform: &Platform, needs: &Needs<'_>) -> Vec<String> {
    let Platform { machine, rules, adapters } = platform;
    if !rules.enable_fallback {
        return Vec::new();
    }
    let find = |name: &&String| {
        adapters
            .iter()
            .find(|adapter| adapter.name.eq_ignore_ascii_case(name))
            .filter(|it| it.is_available(machine, rules))
    };
    let mut found: Vec<&Adapter> = Vec::new();
    for adapter in needs.compatibility.fallbacks.iter().filter_map(|name| find(&name)) {
        // One that is named twice is tried once.
        if !found.contains(&adapter) {
            found.push(adapter);
        }
    }
    found.sort_by_key(|adapter| adapter.native != rules.fallback_strategy.prefer_native);
    found.truncate(rules.fallback_strategy.max_fallback_attempts);
    found.into_iter().map(|adapter| adapter.name.clone()).collect()
}

fn warnings(platform: &Platform, needs: &Needs<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let strict = platform.rules.strict_mode;
    if refusals::is_silent(needs) && !strict {
        warnings.push("No compatibility information provided".to_owned());
    }
    if !strict {
        warnings.extend(refusals::unknown(platform, needs));
    }
    if refusals::is_emulated(platform, needs) {
        warnings.push(format!("it is made for another processor and runs emulated on {}", platform.machine.arch));
    }
    let known: Vec<&String> = platform.adapters.iter().map(|adapter| &adapter.name).collect();
    for fallback in
        needs.compatibility.fallbacks.iter().filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)))
    {
        warnings.push(format!("the fallback `{fallback}` is no adapter of this host"));
    }
    for (name, rule) in &platform.rules.adapters {
        if let Some(engine) = rule.runtime.as_ref().filter(|engine| !ENGINES.contains(&engine.to_lowercase().as_str()))
        {
            warnings.push(format!("the adapter `{name}` has no engine `{engine}`; its own is used"));
        }
    }
    warnings
}
