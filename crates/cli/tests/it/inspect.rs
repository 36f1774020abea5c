//! `inspect` and `list`.

use std::fs;

use crate::midplane::{command, run};
use crate::plugins::{self, guest, tool};

#[test]
fn a_plugin_shows_its_manifest_and_what_its_code_is() {
    let done = run(["inspect", &guest().display().to_string(), "--output", "json"]);
    let document = done.json();
    assert_eq!((done.code, &document["manifest"]["id"], &document["bare"]), (0, &"guest".into(), &false.into()));
    assert_eq!(document["code"]["format"], "WebAssembly core module");
    assert!(document["code"]["exports"].as_array().unwrap().contains(&"plugin_echo".into()));
    let bytes = fs::read(guest().join("guest.wasm")).unwrap();
    assert_eq!(document["code"]["size"], bytes.len());
    let done = run(["inspect", &tool().display().to_string()]);
    for part in ["tool", "1.2.3", "ELF shared library", "midplane_plugin", std::env::consts::ARCH] {
        assert!(done.text().contains(part), "{part}: {}", done.text());
    }
}

#[test]
fn a_bare_file_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("bare.so");
    fs::copy(tool().join("libtool.so"), &library).unwrap();
    let done = run(["inspect", &library.display().to_string(), "--output", "json"]);
    let document = done.json();
    assert_eq!((done.code, &document["bare"]), (0, &true.into()), "{}", done.stderr);
    assert_eq!((&document["manifest"]["id"], &document["manifest"]["version"]), (&"tool".into(), &"1.2.3".into()));
    assert_eq!(document["runtime"]["info"]["version"], "1.2.3");
    assert!(!document["runtime"]["build_id"].as_str().unwrap().is_empty());
}

#[test]
fn what_cannot_be_used_is_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["guest", "broken"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for name in ["plugin.yaml", "guest.wasm"] {
        fs::copy(guest().join(name), folder.path().join("guest").join(name)).unwrap();
    }
    fs::write(folder.path().join("broken/plugin.yaml"), "id: [\n").unwrap();
    let path = folder.path().display().to_string();
    let done = run(["list", "--plugins", &path, "--output", "json"]);
    let document = done.json();
    assert_eq!((done.code, document["plugins"].as_array().unwrap().len()), (0, 1), "{document}");
    let plugin = &document["plugins"][0];
    assert_eq!(
        (&plugin["id"], &plugin["actions"][0], &plugin["extensions"][0]),
        (&"guest".into(), &"echo".into(), &".txt".into())
    );
    assert_eq!(document["unusable"][0]["error"]["code"], "manifest_invalid");
    let done = run(["list", "--plugins", &path]);
    assert!(done.text().starts_with("guest") && done.stderr.contains("cannot be used"), "{done:?}");
}

#[test]
fn folders_come_from_the_environment_where_none_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let folders = std::env::join_paths([empty.path(), &plugins::folder()]).unwrap();
    let output = command(["list", "--output", "json"]).env("MIDPLANE_PLUGINS", folders).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["plugins"].as_array().unwrap().len(), 2, "{document}");
}

/// A native plugin for another system, in a folder of its own.
fn foreign(compatibility: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "id: far\nname: far\nversion: 1.0.0\nentry: {{ runtime: native, main: far.so }}\ncompatibility: {compatibility}\n"
    );
    fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    fs::write(folder.path().join("far.so"), "").unwrap();
    folder
}

#[test]
fn a_plugin_shows_whether_it_can_run_here_and_by_what() {
    let folder = foreign("{ platforms: [plan9], fallbacks: [wasm, script, teleport] }");
    let path = folder.path().display().to_string();
    let done = run(["inspect", &path]);
    for part in [std::env::consts::OS, "yes, by wasm, script, as a fallback", "`teleport` is no adapter"] {
        assert!(done.text().contains(part), "{part}: {}", done.text());
    }
    let document = run(["inspect", &path, "--output", "json"]).json();
    let verdict = &document["compatibility"];
    assert_eq!((&verdict["is_compatible"], &verdict["fallbacks"][1]), (&true.into(), &"script".into()), "{document}");
    assert_eq!(document["platform"]["os"], std::env::consts::OS);
    assert_eq!(document["formats"]["wasm"][0], "wasm");
    let checked = run(["check", &path]);
    assert!(checked.code == 0 && checked.text().contains("runs here by a fallback: wasm, script"), "{checked:?}");
}

#[test]
fn settings_decide_what_can_run_here() {
    let folder = foreign("{ platforms: [plan9], fallbacks: [wasm] }");
    let path = folder.path().display().to_string();
    let inspect = |set: &str| run(["inspect", &path, "--set", set]).text().to_owned();
    let refused = inspect("compatibility.enable_fallback=false");
    assert!(refused.contains("no: Unsupported OS") && !refused.contains("yes"), "{refused}");
    let native = inspect("compatibility.override_os=plan9");
    assert!(!native.contains("as a fallback") && native.contains("plan9"), "{native}");
    let done = run(["check", &path, "--set", "compatibility.adapters.wasm.enabled=false", "--output", "json"]);
    let document = done.json();
    assert_eq!((done.code, &document["compatibility"]["is_compatible"]), (3, &false.into()), "{document}");
    let silent = foreign("{}");
    let silent = silent.path().display().to_string();
    let strict = run(["check", &silent, "--set", "compatibility.strict_mode=true", "--output", "json"]);
    assert_eq!(strict.code, 3);
    assert_eq!(strict.json()["compatibility"]["reason"], "No compatibility information provided");
}
