//! What the operator decides about platforms: `compatibility` in requirement 004, plan eight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::machine::Machine;

/// What the operator decides about platforms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Whether a plugin made for other systems may run by one of its fallbacks. Default true.
    pub enable_fallback: bool,
    /// Whether silence counts against a plugin: one that says nothing about where it can run is refused, and so is one
    /// that needs something that nobody could find out about the machine. Default false: both are warnings.
    pub strict_mode: bool,
    /// What counts as this machine.
    pub platform_detection: Detection,
    /// Adapters by name; one that is not listed is on, with its own formats.
    pub adapters: BTreeMap<String, AdapterRule>,
    /// How fallbacks are chosen.
    pub fallback_strategy: FallbackStrategy,
}

/// What counts as this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detection {
    /// Whether the machine is asked what it is. Without that, and without overrides, its system and processor are unknown.
    pub auto_detect: bool,
    /// The operating system, whatever was found out; empty means what was.
    pub override_os: String,
    /// The processor, whatever was found out; empty means what was.
    pub override_arch: String,
}

/// What the operator decides about one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdapterRule {
    /// Whether it may be used. Default true.
    pub enabled: bool,
    /// The formats that it may be used for, as names (`wasm`) or endings (`.wasm`); empty means its own.
    pub supported_formats: Vec<String>,
    /// Which engine does the work, where there is a choice. Midplane has one for each; another name is a warning.
    pub runtime: Option<String>,
}

/// How fallbacks are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FallbackStrategy {
    /// Whether native code comes before portable code where both will do. Default true.
    pub prefer_native: bool,
    /// Whether a process made for another processor may run where the machine emulates that. Default false.
    pub allow_emulation: bool,
    /// How many fallbacks are tried at most. Default 3.
    pub max_fallback_attempts: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            enable_fallback: true,
            strict_mode: false,
            platform_detection: Detection::default(),
            adapters: BTreeMap::new(),
            fallback_strategy: FallbackStrategy::default(),
        }
    }
}

impl Default for Detection {
    fn default() -> Self {
        Self { auto_detect: true, override_os: String::new(), override_arch: String::new() }
    }
}

impl Default for AdapterRule {
    fn default() -> Self {
        Self { enabled: true, supported_formats: Vec::new(), runtime: None }
    }
}

impl Default for FallbackStrategy {
    fn default() -> Self {
        Self { prefer_native: true, allow_emulation: false, max_fallback_attempts: 3 }
    }
}

impl Detection {
    /// The machine as it counts.
    pub(super) fn apply(&self, mut machine: Machine) -> Machine {
        let decide = |found: &mut String, given: &str| match given.trim() {
            "" if self.auto_detect => {}
            given => *found = given.to_owned(),
        };
        decide(&mut machine.os, &self.override_os);
        decide(&mut machine.arch, &self.override_arch);
        machine
    }
}
