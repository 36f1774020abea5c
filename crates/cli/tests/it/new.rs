//! `new`: what it writes, what it refuses, and that what it wrote works.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::midplane::{command, run};

const LANGUAGES: [&str; 8] = ["rust", "wasm", "c", "js", "ts", "python", "go", "shell"];

fn made(parent: &Path, language: &str, name: &str) -> Value {
    let parent = parent.display().to_string();
    let done = run(["new", "--lang", language, name, "--dir", &parent, "--output", "json"]);
    assert_eq!(done.code, 0, "{} {}", done.text(), done.stderr);
    done.json()
}

#[test]
fn every_language_gives_a_folder_whose_manifest_wants_nothing_but_the_build() {
    let parent = tempfile::tempdir().unwrap();
    for language in LANGUAGES {
        let project = made(parent.path(), language, language);
        let folder = parent.path().join(language);
        for file in project["files"].as_array().unwrap() {
            assert!(folder.join(file.as_str().unwrap()).is_file(), "{language}: {file}");
        }
        let checked = run(["check", &folder.display().to_string(), "--output", "json"]).json();
        let codes: Vec<&Value> = checked["faults"].as_array().unwrap().iter().map(|fault| &fault["code"]).collect();
        let expected: &[&str] = if project["build"].is_null() { &[] } else { &["missing_code"] };
        assert_eq!(codes, expected, "{language}: {checked:#}");
    }
}

#[test]
fn a_library_in_c_is_built_tested_and_run_with_the_commands_that_it_says() {
    let parent = tempfile::tempdir().unwrap();
    let project = made(parent.path(), "c", "hello");
    let folder = parent.path().join("hello");
    let build = project["build"].as_str().unwrap();
    let unbuilt = run(["run", &folder.display().to_string()]);
    assert!(unbuilt.code == 3 && unbuilt.stderr.contains(build), "{}", unbuilt.stderr);
    let built = Command::new("sh").args(["-c", build]).current_dir(&folder).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    greets(&folder, "hello");

    // Whoever forgets to build again is told so.
    let shown = folder.display().to_string();
    let source = fs::File::options().append(true).open(folder.join("plugin.c")).unwrap();
    let stale =
        |arguments: &[&str]| run(arguments).stderr.contains("plugin.c was changed after libplugin.so was built");
    for arguments in
        [&["test", &shown, "--only", "sound"][..], &["check", &shown], &["run", &shown, "--call", "hello/greet"]]
    {
        source.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!stale(arguments), "{arguments:?}");
        source.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert!(stale(arguments), "{arguments:?}");
    }
}

#[test]
fn what_is_not_built_works_as_it_is_written() {
    let parent = tempfile::tempdir().unwrap();
    for language in ["js", "ts", "python", "shell"] {
        made(parent.path(), language, language);
        greets(&parent.path().join(language), language);
    }
}

/// The project passes its tests, and answers.
fn greets(folder: &Path, id: &str) {
    let shown = folder.display().to_string();
    let tested = run(["test", &shown, "--quick"]);
    assert_eq!(tested.code, 0, "{} {}", tested.text(), tested.stderr);
    let called = run(["run", &shown, "--call", &format!("{id}/greet"), "--input", r#"{"name":"x"}"#]);
    assert_eq!(called.text().trim(), r#"{"hello":"x"}"#, "{}", called.stderr);
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("plugin.yaml"), "mine").unwrap();
    let parent = parent.path().display().to_string();
    let done = run(["new", "--lang", "js", "mine", "--dir", &parent, "--output", "json"]);
    assert_eq!((done.code, done.error().as_str()), (2, "invalid_input"));
    assert_eq!(fs::read_to_string(folder.join("plugin.yaml")).unwrap(), "mine");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_name_that_is_no_id_is_refused_with_one_that_is() {
    let done = run(["new", "--lang", "js", "My Plugin", "--output", "json"]);
    assert_eq!(done.code, 2);
    assert!(done.json()["error"]["remedy"].as_str().unwrap().contains("`my-plugin`"), "{}", done.text());
}

#[test]
fn what_a_machine_lacks_is_named_and_the_folder_is_made_all_the_same() {
    let parent = tempfile::tempdir().unwrap();
    let shown = parent.path().display().to_string();
    for (language, program) in [("rust", "cargo"), ("c", "cc"), ("go", "go"), ("wasm", "wasm32-wasip2")] {
        let mut new = command(["new", "--lang", language, language, "--dir", &shown]);
        let output = new.env("PATH", parent.path()).output().unwrap();
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && notes.contains("missing here: "), "{notes}");
        assert!(notes.contains(program), "{language}: {notes}");
        assert!(parent.path().join(language).join("plugin.yaml").is_file());
    }
}

#[test]
fn people_are_told_what_to_type_next() {
    let parent = tempfile::tempdir().unwrap();
    let done = run(["new", "--lang", "python", "hello", "--dir", &parent.path().display().to_string()]);
    for part in ["cd ", "midplane test .", "midplane run . --call hello/greet", "plugin.py"] {
        assert!(done.text().contains(part), "{part}: {}", done.text());
    }
}

#[test]
fn a_place_that_cannot_be_written_is_a_typed_error() {
    let done = run(["new", "--lang", "js", "hello", "--dir", "/proc/nowhere", "--output", "json"]);
    assert!([5, 7].contains(&done.code), "{}", done.code);
    assert!(["io", "permission_denied"].contains(&done.error().as_str()));
}
