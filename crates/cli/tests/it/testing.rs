//! `test`: the checks, the author's cases, and what is made of them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::midplane::{Done, run};
use crate::plugins::guest;

const MANIFEST: &str = "id: guest
name: Guest
version: 0.1.0
entry: { runtime: wasm, main: guest.wasm }
interfaces:
  actions: [echo, fail, spin, trap]
";

const CASES: &str = "cases:
  - { name: echoes, action: echo, input: { a: 1 }, expect: { json: { a: 1.0 } } }
  - { name: is closed, action: fail, expect: { error: { code: not_today, message: Sundays } } }
  - { name: answers wrong, action: echo, text: one, expect: { text: two } }
  - { name: hangs, action: spin, timeout: 200ms }
  - { name: crashes, action: trap }
";

/// A copy of the guest with these cases.
fn with_cases(cases: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(guest().join("guest.wasm"), folder.path().join("guest.wasm")).unwrap();
    fs::write(folder.path().join("plugin.yaml"), MANIFEST).unwrap();
    fs::create_dir(folder.path().join("tests")).unwrap();
    fs::write(folder.path().join("tests/guest.yaml"), cases).unwrap();
    folder
}

fn tested(folder: &Path, more: &[&str]) -> Done {
    run([&["test", &folder.display().to_string(), "--quick"][..], more].concat())
}

#[test]
fn one_wrong_answer_one_hang_and_one_crash_are_three_failures_and_exit_code_1() {
    let folder = with_cases(CASES);
    let junit = folder.path().join("report.xml");
    let done = tested(folder.path(), &["--output", "json", "--junit", &junit.display().to_string()]);
    let report = done.json();
    let failed: Vec<&str> = report["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["outcome"] == "failed")
        .map(|verdict| verdict["name"].as_str().unwrap())
        .collect();
    assert_eq!((done.code, failed.as_slice()), (1, &["answers wrong", "hangs", "crashes"][..]), "{report:#}");
    let xml = fs::read_to_string(junit).unwrap();
    assert_eq!(xml.matches("<failure").count(), 3, "{xml}");
}

#[test]
fn people_see_what_was_expected_and_what_came() {
    let folder = with_cases(CASES);
    let done = tested(folder.path(), &["--no-conformance"]);
    for part in [
        "tests/guest.yaml",
        "ok      echoes",
        "FAILED  answers wrong",
        "expected: two",
        "got: one",
        "2 passed, 3 failed",
    ] {
        assert!(done.text().contains(part), "{part}: {}", done.text());
    }
}

#[test]
fn what_is_as_it_should_be_ends_with_0() {
    let folder = with_cases(CASES);
    let done = tested(folder.path(), &["--only", "echoes"]);
    assert_eq!(done.code, 0, "{} {}", done.text(), done.stderr);
    let listed = run(["test", &folder.path().display().to_string(), "--list"]);
    assert!(listed.text().contains("tests/guest.yaml: hangs") && listed.text().contains("conformance: it reloads"));
    let bench = run(["test", &folder.path().display().to_string(), "--bench=3", "--output", "json"]);
    assert_eq!((bench.code, &bench.json()["rounds"], &bench.json()["action"]), (0, &3.into(), &"echo".into()));
}

#[test]
fn a_wrong_case_file_is_3_with_its_line_and_a_missing_plugin_is_4() {
    let folder = with_cases("cases:\n  - { nam: x }\n");
    let done = tested(folder.path(), &[]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(done.stderr.contains("guest.yaml:2:5") && done.stderr.contains("did you mean `name`"), "{}", done.stderr);
    assert_eq!(tested(&folder.path().join("nothing"), &[]).code, 4);
    let unknown = tested(folder.path(), &["--only", "x", "--trust", "other=trusted"]);
    assert_eq!(unknown.code, 3, "{}", unknown.stderr);
    let folder = with_cases(CASES);
    assert_eq!(tested(folder.path(), &["--trust", "other=trusted"]).code, 4);
    assert_eq!(tested(folder.path(), &["--only", "no such name"]).code, 2);
}
