//! `check`: everything at once, each with its place.

use std::fs;

use serde_json::Value;

use crate::midplane::run;
use crate::plugins::{guest, tool};

/// Seven faults, each on a line of its own.
const SEVEN: &str = "\
id: Bad Id
name: Seven
version: one
entry:
  runtime: wasn
  main: ../outside.wasm
permisions: []
instances:
  mode: actor
  max: many
dependencies:
  - id: other
    version: '>>1'
";

fn checked(manifest: &str) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    let done = run(["check", &folder.path().display().to_string(), "--output", "json"]);
    (done.code, done.json())
}

#[test]
fn seven_faults_are_seven_entries_with_place_code_and_remedy_in_one_run() {
    let (code, document) = checked(SEVEN);
    let faults = document["faults"].as_array().unwrap();
    let lines: Vec<u64> = faults.iter().map(|fault| fault["line"].as_u64().unwrap()).collect();
    assert_eq!((code, lines.as_slice()), (3, &[1, 3, 5, 6, 7, 10, 13][..]), "{document:#}");
    for fault in faults {
        assert!(fault["column"].as_u64().unwrap() > 0, "{fault}");
        for field in ["code", "remedy", "message", "path", "severity"] {
            assert!(fault[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {fault}");
        }
    }
    assert_eq!((&document["valid"], &document["errors"]), (&false.into(), &7.into()));
}

#[test]
fn people_see_each_fault_in_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.yaml"), SEVEN).unwrap();
    let done = run(["check", &folder.path().display().to_string()]);
    assert_eq!(done.code, 3);
    for part in ["unknown_field", "permisions: []", "permissions", "plugin.yaml:7:1", "path_leaves_folder"] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    assert!(done.text().contains("7 errors"), "{}", done.text());
}

#[test]
fn a_sound_plugin_has_no_faults() {
    for plugin in [guest(), tool(), guest().join("plugin.yaml")] {
        let done = run(["check", &plugin.display().to_string()]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(done.text().contains("no errors, no warnings"), "{}", done.text());
    }
}

#[test]
fn warnings_do_not_make_it_fail() {
    let manifest = fs::read_to_string(guest().join("plugin.yaml")).unwrap() + "permissions: [media.encode]\n";
    let folder = tempfile::tempdir().unwrap();
    fs::copy(guest().join("guest.wasm"), folder.path().join("guest.wasm")).unwrap();
    fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    let done = run(["check", &folder.path().display().to_string(), "--output", "json"]);
    let document = done.json();
    assert_eq!((done.code, &document["warnings"], &document["errors"]), (0, &1.into(), &0.into()), "{document}");
    assert_eq!(document["faults"][0]["severity"], "warning");
}

#[test]
fn a_limit_that_the_placement_cannot_hold_is_an_error_at_its_place() {
    let manifest = fs::read_to_string(tool().join("plugin.yaml")).unwrap() + "limits:\n  memory: 1000000\n";
    let folder = tempfile::tempdir().unwrap();
    fs::copy(tool().join("libtool.so"), folder.path().join("libtool.so")).unwrap();
    fs::write(folder.path().join("plugin.yaml"), &manifest).unwrap();
    let path = folder.path().display().to_string();
    let inside = ["--placement", "tool=in-process", "--trust", "tool=trusted", "--output", "json"];
    let done = run([&["check", &path][..], &inside].concat());
    let fault = &done.json()["faults"][0];
    assert_eq!((done.code, &fault["code"]), (3, &"limit_not_enforceable".into()), "{fault}");
    let line = manifest.lines().count() as u64;
    assert_eq!((&fault["line"], &fault["column"], &fault["path"]), (&line.into(), &3.into(), &"/limits/memory".into()));
}
