use midplane_contract::manifest::{Entry, Manifest};
use midplane_contract::{Code, PluginId, RuntimeKind, Version, VersionRange};

use super::*;

fn machine() -> Machine {
    Machine {
        os: "linux".into(),
        arch: "x86_64".into(),
        memory_mb: Some(1000),
        gpu: Some(false),
        version: None,
        capabilities: texts(&["basic", "wasm"]),
        emulates: texts(&["aarch64"]),
    }
}

fn here() -> Platform {
    Platform::of(machine(), Rules::default())
}

fn with(change: impl FnOnce(&mut Rules)) -> Platform {
    let mut rules = Rules::default();
    change(&mut rules);
    Platform::of(machine(), rules)
}

fn plugin() -> Manifest {
    Manifest::minimal(PluginId::new("p").unwrap(), Version::new(1, 0, 0), Entry::new("p.so", RuntimeKind::Native))
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn systems_and_processors_are_compared_by_what_they_mean() {
    #[rustfmt::skip]
    let table: &[(&[&str], &[&str], bool)] = &[
        (&[], &[], true),
        (&["linux"], &["x64"], true),
        (&["LINUX"], &["AMD64"], true),
        (&["win32", "darwin", "linux"], &["x64", "arm64"], true),
        (&["*"], &["*"], true),
        (&["win32"], &[], false),
        (&["macos"], &[], false),
        (&[], &["aarch64"], false),
        (&[], &["x86"], false),
        (&["!win32"], &[], true),
        (&["!linux"], &[], false),
        (&["*", "!Linux"], &[], false),
    ];
    for (systems, processors, fits) in table {
        let mut plugin = plugin();
        plugin.compatibility.platforms = texts(systems);
        plugin.compatibility.architectures = texts(processors);
        let answer = check(&plugin, &here());
        assert_eq!(answer.is_ok(), *fits, "{systems:?} {processors:?}");
        if let Err(error) = answer {
            assert_eq!(error.code(), Code::UnsupportedPlatform);
        }
    }
    assert_eq!(system("Win32"), system("windows"));
    assert_eq!(processor("x64"), processor("AMD64"));
}

#[test]
fn every_reason_is_given_at_once() {
    let mut plugin = plugin();
    plugin.compatibility.platforms = texts(&["windows"]);
    plugin.compatibility.core_version = VersionRange::parse("^2").ok();
    plugin.compatibility.min_version = Some(Version::new(1, 1, 0));
    plugin.compatibility.max_version = Some(Version::new(0, 9, 0));
    plugin.resources.min_memory_mb = Some(2000);
    plugin.resources.requires_gpu = true;
    let refusals = refusals(&plugin, &here());
    let codes: Vec<Code> = refusals.iter().map(Error::code).collect();
    assert_eq!(
        codes,
        [
            Code::UnsupportedPlatform,
            Code::UnsupportedPlatform,
            Code::UnsupportedPlatform,
            Code::VersionMismatch,
            Code::VersionMismatch,
            Code::VersionMismatch,
        ]
    );
    assert_eq!(refusals[3].record().data["required"], "^2");
    assert_eq!(refusals[3].record().data["found"], "1.0.0");
    assert!(refusals.iter().all(|error| error.record().remedy.is_some()));
}

#[test]
fn the_contract_may_be_named_in_four_ways() {
    let mut plugin = plugin();
    let compatibility = r#"{"core_version": "^1", "min_version": "1.0.0", "max_version": "1.0.0",
        "engines": [{"name": "midplane", "range": ">=1"}, {"name": "node", "range": ">=18"}]}"#;
    plugin.compatibility = serde_json::from_str(compatibility).unwrap();
    plugin.dependencies = serde_json::from_str(r#"[{"id": "core", "version": ">=1.0.0"}]"#).unwrap();
    assert!(check(&plugin, &here()).is_ok());
    plugin.compatibility.engines[0].range = VersionRange::parse("^3").unwrap();
    plugin.dependencies[0].version = VersionRange::parse("<1").unwrap();
    assert_eq!(refusals(&plugin, &here()).len(), 2);
}

#[test]
fn what_a_machine_does_not_know_is_not_held_against_a_plugin() {
    let mut plugin = plugin();
    plugin.resources.min_memory_mb = Some(u64::MAX);
    plugin.resources.requires_gpu = true;
    let ignorant = Machine { memory_mb: None, gpu: None, ..machine() };
    assert!(check(&plugin, &Platform::of(ignorant, Rules::default())).is_ok());
}

#[test]
fn this_machine_knows_itself() {
    let here = Machine::current();
    assert_eq!(here.os, std::env::consts::OS);
    if cfg!(target_os = "linux") {
        assert!(here.memory_mb.is_some_and(|memory| memory > 16) && here.gpu.is_some());
    }
}

fn verdict(plugin: &Manifest, platform: &Platform) -> Verdict {
    platform.assess(&Needs::of(plugin))
}

fn for_windows(fallbacks: &[&str]) -> Manifest {
    let mut plugin = plugin();
    plugin.compatibility.platforms = texts(&["Windows"]);
    plugin.compatibility.fallbacks = texts(fallbacks);
    plugin
}

#[test]
fn a_plugin_for_another_system_may_run_by_a_fallback_that_is_here() {
    let answer = verdict(&for_windows(&["windows", "wasm", "script"]), &here());
    assert_eq!((answer.compatible, answer.reason.as_str()), (true, "Compatible with fallback adapters"));
    assert_eq!(answer.fallbacks, ["wasm", "script"]);
    assert!(check(&for_windows(&["wasm"]), &here()).is_ok());
    let refused = verdict(&for_windows(&["windows", "atari"]), &here());
    assert!(!refused.compatible && refused.reason.starts_with("Unsupported OS: linux"), "{}", refused.reason);
    assert_eq!(refused.warnings, ["the fallback `atari` is no adapter of this host"]);
    let off = with(|rules| rules.enable_fallback = false);
    assert!(!verdict(&for_windows(&["wasm"]), &off).compatible);
    let one = with(|rules| rules.fallback_strategy.max_fallback_attempts = 1);
    assert_eq!(verdict(&for_windows(&["script", "wasm"]), &one).fallbacks, ["script"]);
}

#[test]
fn native_fallbacks_come_first_unless_portable_ones_are_preferred() {
    let plugin = for_windows(&["wasm", "linux"]);
    assert_eq!(verdict(&plugin, &here()).fallbacks, ["linux", "wasm"]);
    let portable = with(|rules| rules.fallback_strategy.prefer_native = false);
    assert_eq!(verdict(&plugin, &portable).fallbacks, ["wasm", "linux"]);
}

#[test]
fn a_fallback_that_is_named_twice_is_tried_once() {
    let plugin = for_windows(&["wasm", "script", "WASM", "wasm"]);
    assert_eq!(verdict(&plugin, &here()).fallbacks, ["wasm", "script"]);
}

#[test]
fn a_verdict_names_the_adapter_or_the_reason_in_the_words_of_the_document() {
    let mut plugin = plugin();
    plugin.compatibility.platforms = texts(&["linux"]);
    let answer = verdict(&plugin, &here());
    assert_eq!((answer.compatible, answer.adapters), (true, texts(&["linux"])));
    assert!(answer.reason.is_empty() && answer.warnings.is_empty());
    plugin.compatibility.architectures = texts(&["arm64"]);
    assert!(verdict(&plugin, &here()).reason.starts_with("Unsupported architecture: x86_64"));
    plugin.compatibility.architectures.clear();
    plugin.compatibility.capabilities = texts(&["BASIC", "time travel"]);
    assert!(verdict(&plugin, &here()).reason.starts_with("Missing required capabilities"));
    plugin.compatibility.capabilities.clear();
    plugin.entry.main = "p.dll".into();
    assert!(verdict(&plugin, &here()).reason.starts_with("No suitable adapter found"));
}

#[test]
fn adapters_are_turned_off_narrowed_and_added() {
    let rule =
        |enabled: bool, formats: &[&str]| AdapterRule { enabled, supported_formats: texts(formats), runtime: None };
    let off = with(|rules| drop(rules.adapters.insert("linux".into(), rule(false, &[]))));
    assert!(!off.formats().contains_key("linux") && !off.formats().contains_key("windows"));
    assert_eq!(off.formats()["wasm"], [Format::Wasm]);
    let other = AdapterRule { runtime: Some("wasmer".into()), ..AdapterRule::default() };
    let wasmer = with(|rules| drop(rules.adapters.insert("wasm".into(), other)));
    assert!(verdict(&plugin(), &wasmer).warnings.iter().any(|warning| warning.contains("wasmer")));
    assert!(!verdict(&plugin(), &off).compatible);
    let narrowed = with(|rules| drop(rules.adapters.insert("script".into(), rule(true, &[".js"]))));
    let formats = |name: &str| narrowed.adapters.iter().find(|it| it.name == name).unwrap().formats(&narrowed.rules);
    assert_eq!(formats("script"), [Format::Javascript]);
    let mut more = off;
    let (name, formats) = ("musl".to_owned(), vec![Format::SharedLibrary]);
    more.adapters.push(Adapter { name, systems: Vec::new(), formats, native: true });
    assert_eq!(verdict(&plugin(), &more).adapters, ["musl"]);
}

#[test]
fn overrides_say_what_counts_as_this_machine() {
    let mut plugin = plugin();
    plugin.compatibility.platforms = texts(&["windows"]);
    plugin.entry.main = "p.dll".into();
    let other = with(|rules| rules.platform_detection.override_os = "Win32".into());
    assert_eq!(verdict(&plugin, &other).adapters, ["windows"]);
    plugin.entry.runtime = RuntimeKind::Wasm;
    let unknown = with(|rules| rules.platform_detection.auto_detect = false);
    let answer = verdict(&plugin, &unknown);
    assert!(answer.compatible && answer.warnings[0].contains("operating system"), "{answer:?}");
}

#[test]
fn silence_counts_against_a_plugin_in_strict_mode_only() {
    let strict = with(|rules| rules.strict_mode = true);
    let answer = verdict(&plugin(), &strict);
    assert_eq!((answer.compatible, answer.reason.as_str()), (false, "No compatibility information provided"));
    assert_eq!(verdict(&plugin(), &here()).warnings, ["No compatibility information provided"]);
    let mut asking = plugin();
    asking.compatibility.platforms = texts(&["*"]);
    asking.resources.requires_gpu = true;
    let ignorant = Machine { gpu: None, ..machine() };
    assert!(verdict(&asking, &Platform::of(ignorant.clone(), Rules::default())).compatible);
    assert!(!verdict(&asking, &Platform::of(ignorant, strict.rules)).compatible);
}

#[test]
fn a_process_for_another_processor_runs_emulated_where_that_is_allowed() {
    let mut plugin = plugin();
    plugin.entry.runtime = RuntimeKind::Process;
    plugin.compatibility.architectures = texts(&["arm64"]);
    assert!(!verdict(&plugin, &here()).compatible);
    let allowed = with(|rules| rules.fallback_strategy.allow_emulation = true);
    let answer = verdict(&plugin, &allowed);
    assert!(answer.compatible && answer.warnings[0].contains("emulated"), "{answer:?}");
    plugin.entry.runtime = RuntimeKind::Native;
    assert!(!verdict(&plugin, &allowed).compatible);
}

#[test]
fn the_rules_are_read_as_requirement_004_writes_them() {
    let text = r#"{"enable_fallback": true, "strict_mode": false,
        "platform_detection": {"auto_detect": true, "override_os": "", "override_arch": ""},
        "adapters": {"windows": {"enabled": true, "supported_formats": [".dll"]},
            "wasm": {"enabled": true, "supported_formats": [".wasm"], "runtime": "wasmtime"}},
        "fallback_strategy": {"prefer_native": true, "allow_emulation": false, "max_fallback_attempts": 3}}"#;
    let read: Rules = serde_json::from_str(text).unwrap();
    assert_eq!(Rules { adapters: Rules::default().adapters, ..read }, Rules::default());
}
