//! `midplane catalog`, and what outlives a command.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::midplane::{Done, command};
use crate::plugins;

fn run(data: &Path, arguments: &[&str]) -> Done {
    Done::of(command(arguments).env("MIDPLANE_DATA", data).output().unwrap())
}

fn json(data: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["--output", "json", "catalog"], arguments].concat();
    let done = run(data, &arguments);
    assert_eq!(done.code, 0, "{done:?}");
    done.json()
}

/// A folder with a good plugin, a broken one and a bare file.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a/plugin.yaml", "id: a\nname: A\nversion: 1.2.3\nentry: {main: a.wasm}\nactions: [run]\n"),
        ("a/a.wasm", "code"),
        ("broken/plugin.yaml", "nonsense: 1"),
        ("B.SO", "bare"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_rescan_says_what_is_there_and_the_next_opens_nothing() {
    let (folder, data) = (folder(), tempfile::tempdir().unwrap());
    let plugins = folder.path().display().to_string();
    let first = json(data.path(), &["rescan", "--plugins", &plugins]);
    assert_eq!((&first["found"], &first["valid"], &first["read"]), (&3.into(), &2.into(), &3.into()), "{first}");
    // Of the same folders, which it remembers.
    let second = json(data.path(), &["rescan"]);
    assert_eq!((&second["found"], &second["read"]), (&3.into(), &0.into()), "{second}");
    assert_eq!(second["changes"], Value::Array(Vec::new()));
    let text = run(data.path(), &["catalog", "rescan"]).text();
    assert!(text.contains("3 found, 2 valid, 1 invalid, 0 shadowed; 0 read"), "{text}");
}

#[test]
fn the_list_and_a_plugin_are_shown_from_what_is_kept() {
    let (folder, data) = (folder(), tempfile::tempdir().unwrap());
    let plugins = folder.path().display().to_string();
    json(data.path(), &["rescan", "--plugins", &plugins]);
    let list = json(data.path(), &["list"]);
    let entries = list["entries"].as_array().unwrap();
    let valid: Vec<bool> = entries.iter().map(|entry| entry["is_valid"].as_bool().unwrap()).collect();
    assert_eq!(valid, [true, true, false], "{list}");
    assert!(entries[2]["validation_error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    let shown = json(data.path(), &["show", "a"]);
    assert_eq!((&shown["latest"], shown["entries"].as_array().unwrap().len()), (&"1.2.3".into(), 1), "{shown}");
    let text = run(data.path(), &["catalog", "list"]).text();
    assert!(text.contains("a       1.2.3") || text.contains("a  1.2.3"), "{text}");
    assert!(text.contains("cannot be used: "), "{text}");
    assert!(run(data.path(), &["catalog", "show", "a"]).text().contains("stable"));
    let missing = run(data.path(), &["--output", "json", "catalog", "show", "aa"]);
    assert_eq!((missing.code, missing.error().as_str()), (4, "plugin_not_found"));
}

#[test]
fn a_broken_catalog_is_made_anew_and_a_broken_state_is_an_error() {
    let (folder, data) = (folder(), tempfile::tempdir().unwrap());
    let plugins = folder.path().display().to_string();
    json(data.path(), &["rescan", "--plugins", &plugins]);
    std::fs::write(data.path().join("catalog.db"), [0xa5; 100_000]).unwrap();
    let done = run(data.path(), &["--output", "json", "catalog", "rescan"]);
    assert_eq!((done.code, &done.json()["read"]), (0, &3.into()), "{done:?}");
    assert!(done.stderr.contains("catalog.db") && done.stderr.contains("set aside"), "{done:?}");
    std::fs::write(data.path().join("catalog.db"), [0xa5; 100_000]).unwrap();
    assert_eq!(json(data.path(), &["list"])["entries"].as_array().unwrap().len(), 3);
    std::fs::write(data.path().join("state.db"), [0xa5; 100_000]).unwrap();
    let done = run(data.path(), &["--output", "json", "catalog", "list"]);
    assert_eq!((done.code, done.error().as_str()), (7, "storage"));
}

#[test]
fn nothing_to_scan_is_a_slip_of_usage() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(run(data.path(), &["catalog", "rescan"]).code, 2);
    let empty = json(data.path(), &["list"]);
    assert_eq!(empty["entries"], Value::Array(Vec::new()));
}

#[test]
fn a_call_over_a_data_folder_is_counted_there() {
    let data = tempfile::tempdir().unwrap();
    let tool = plugins::tool().display().to_string();
    for _ in 0..2 {
        let done = run(data.path(), &["run", &tool, "--call", "tool/echo", "--input", "1"]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    let folder = plugins::folder().display().to_string();
    let shown = json(data.path(), &["show", "tool", "--plugins", &folder]);
    assert_eq!((&shown["usage"]["load_count"], &shown["usage"]["access_count"]), (&2.into(), &2.into()), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_no_text_is_shown_and_cannot_be_installed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (folder, data) = (folder(), tempfile::tempdir().unwrap());
    let odd = folder.path().join(OsStr::from_bytes(b"broken-\xff"));
    std::fs::rename(folder.path().join("broken"), &odd).unwrap();
    let plugins = folder.path().display().to_string();
    let scanned = json(data.path(), &["rescan", "--plugins", &plugins]);
    assert_eq!(scanned["invalid"], 1, "{scanned}");
    let listed = run(data.path(), &["list", "--plugins", &plugins, "--output", "json"]);
    assert!(listed.json()["unusable"].to_string().contains("broken-\u{fffd}"), "{listed:?}");
    let done = Done::of(command(["install"]).arg(&odd).env("MIDPLANE_DATA", data.path()).output().unwrap());
    assert!(done.code == 2 && done.stderr.contains("is not UTF-8 text"), "{done:?}");
}
