use midplane_contract::manifest::{Entry, Manifest};
use midplane_contract::{Code, PluginId, RuntimeKind, Version};

use super::*;

fn machine() -> Machine {
    Machine { os: "linux".into(), arch: "x86_64".into(), memory_mb: Some(1000), gpu: Some(false) }
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
        let answer = check(&plugin, &machine());
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
    let refusals = refusals(&plugin, &machine());
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
    assert!(check(&plugin, &machine()).is_ok());
    plugin.compatibility.engines[0].range = VersionRange::parse("^3").unwrap();
    plugin.dependencies[0].version = VersionRange::parse("<1").unwrap();
    assert_eq!(refusals(&plugin, &machine()).len(), 2);
}

#[test]
fn what_a_machine_does_not_know_is_not_held_against_a_plugin() {
    let mut plugin = plugin();
    plugin.resources.min_memory_mb = Some(u64::MAX);
    plugin.resources.requires_gpu = true;
    let ignorant = Machine { memory_mb: None, gpu: None, ..machine() };
    assert!(check(&plugin, &ignorant).is_ok());
}

#[test]
fn this_machine_knows_itself() {
    let here = Machine::current();
    assert_eq!(here.os, std::env::consts::OS);
    if cfg!(target_os = "linux") {
        assert!(here.memory_mb.is_some_and(|memory| memory > 16) && here.gpu.is_some());
    }
}
