//! Every exit code of the contract, come by honestly.

use std::fs;

use crate::midplane::{calling, command, run};
use crate::plugins::{self, guest, tool};

#[test]
fn done_is_0() {
    assert_eq!(run(calling(guest(), "guest/echo", &["--input", "1"])).code, 0);
    assert_eq!(run(["--version"]).code, 0);
}

#[test]
fn a_plugin_s_error_trap_and_crash_are_1() {
    for (plugin, address, code) in
        [(guest(), "guest/fail", "plugin_error"), (guest(), "guest/trap", "trapped"), (tool(), "tool/abort", "crashed")]
    {
        let done = run(calling(plugin, address, &["--output", "json"]));
        assert_eq!((done.code, done.error().as_str()), (1, code), "{}", done.stderr);
    }
}

#[test]
fn wrong_usage_is_2() {
    let plugin = guest().display().to_string();
    for arguments in [
        &["frobnicate"][..],
        &[][..],
        &["run"][..],
        &["run", &plugin, "--call", "no-action"],
        &["run", &plugin, "--call", "guest/echo", "--input", "{bad"],
        &["run", &plugin, "--input", "1"],
        &["run", &plugin, "--trust", "guest"],
        &["run", &plugin, "--deadline", "soon"],
        &["run", &plugin, "--deadline", "5s"],
        &["open", "/dev/null"],
        &["worker"],
        &["list", "--output", "xml"],
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.stdout.len()), (2, 0), "{arguments:?}: {}", done.stderr);
        assert!(!done.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(command(["list"]).env("MIDPLANE_LOG", "a=b=c").output().unwrap().status.code(), Some(2));
}

#[test]
fn an_invalid_manifest_file_or_configuration_is_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    fs::write(folder.path().join("plugin.yaml"), "id: x\n").unwrap();
    assert_eq!(run(["run", &path]).code, 3);
    let manifest = "id: guest\nname: G\nversion: 1.0.0\nentry: { runtime: wasm, main: guest.wasm }\n";
    fs::write(folder.path().join("plugin.yaml"), manifest).unwrap();
    fs::write(folder.path().join("guest.wasm"), "not wasm").unwrap();
    let done = run(["run", &path, "--output", "json"]);
    assert_eq!((done.code, done.error().as_str()), (3, "not_a_plugin"));
    let done = run(calling(guest(), "guest/echo", &["--config", "guest=[1]", "--output", "json"]));
    assert_eq!((done.code, done.error().as_str()), (3, "config_invalid"));
    let file = folder.path().join("twice.json");
    fs::write(&file, r#"{"name": "a", "version": "1.0.0", "actions": [{"name": "b"}, {"name": "b"}]}"#).unwrap();
    let set = format!("interfaces=[{}]", file.display());
    let done = run(calling(guest(), "guest/echo", &["--set", &set, "--output", "json"]));
    assert_eq!((done.code, done.error().as_str()), (3, "config_invalid"));
    assert!(done.json()["error"]["message"].as_str().unwrap().contains("twice.json"), "{done:?}");
    fs::write(&file, " ".repeat(2 << 20)).unwrap();
    assert_eq!(run(calling(guest(), "guest/echo", &["--set", &set])).code, 3);
}

#[test]
fn what_is_not_there_is_4() {
    let plugins = plugins::folder().display().to_string();
    for arguments in [
        &["run", "no/such/plugin"][..],
        &["check", "no/such/plugin"],
        &["inspect", "no/such/plugin"],
        &["list", "--plugins", "no/such/folder"],
        &["open", "no-such-file.txt", "--plugins", &plugins],
        &["open", "/dev/null", "--plugins", &plugins, "--with", "nobody"],
        &["run", "--settings", "no-such.yaml"],
        &["config", "check", "no-such.yaml"],
        &["config", "show", "no-such.yaml"],
        &["config", "import", "no-such.yaml"],
        &["list", "--plugins", &plugins, "--settings", "no-such.yaml"],
        &["routes", "--plugins", &plugins, "--set", "interfaces=[./no-such.wit]"],
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.stdout.len()), (4, 0), "{arguments:?}: {}", done.stderr);
    }
    assert_eq!(run(calling(guest(), "guest/nothing", &[])).code, 4);
}

#[test]
fn denied_is_5() {
    let done = run(calling(tool(), "tool/echo", &["--placement", "tool=in-process"]));
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("permission_denied") && done.stderr.contains("--trust"), "{}", done.stderr);
}

#[test]
fn a_passed_deadline_is_6_wherever_the_plugin_runs() {
    let inside = ["--placement", "tool=in-process", "--trust", "tool=trusted"];
    let untrusted = ["--trust", "guest=untrusted"];
    for (plugin, address, more) in [
        (guest(), "guest/spin", &[][..]),
        (guest(), "guest/spin", &untrusted),
        (tool(), "tool/hang", &[]),
        (tool(), "tool/hang", &inside),
    ] {
        let done = run(calling(plugin, address, &[&["--deadline", "200ms", "--output", "json"], more].concat()));
        assert_eq!((done.code, done.error().as_str()), (6, "deadline_exceeded"), "{address}: {}", done.stderr);
    }
}

#[test]
fn what_the_host_cannot_do_is_7() {
    let manifest = "id: guest\nname: G\nversion: 1.0.0\nentry: { runtime: wasm, main: guest.wasm }\n";
    let plugin = plugins::wasm(manifest, "(module (import \"env\" \"fly\" (func)) (memory (export \"memory\") 1))");
    let done = run(["run", &plugin.path().display().to_string(), "--output", "json"]);
    assert_eq!((done.code, done.error().as_str()), (7, "not_supported"), "{}", done.stderr);
}
