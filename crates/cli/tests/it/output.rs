//! What is written where: pipes, JSON, colours, readers that go away.

use std::io::Read;
use std::process::Stdio;

use crate::midplane::{Done, calling, command, piped, run};
use crate::plugins::{self, guest, tool};

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let folder = plugins::folder().display().to_string();
    let calls = [calling(tool(), "tool/fail", &[]), calling(guest(), "guest/nothing", &["-vv"])];
    let others = [vec!["--help"], vec!["list", "--plugins", &folder], vec!["check", "no-such"], vec!["run"]];
    let all = calls.into_iter().chain(others.map(|one| one.into_iter().map(str::to_owned).collect()));
    for arguments in all {
        // Even where somebody asks for it: there is no terminal.
        let done = Done::of(command(&arguments).env("CLICOLOR_FORCE", "1").output().unwrap());
        assert!(!done.stderr.contains('\u{1b}'), "{arguments:?}: {}", done.stderr);
        assert!(!done.stdout.contains(&0x1b), "{arguments:?}");
    }
}

#[test]
fn head_ends_it_quietly() {
    let mut child = piped(&mut command(calling(tool(), "tool/chunks", &[])));
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let mut child = piped(&mut command(["completions", "bash"]));
    drop(child.stdout.take());
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}

#[test]
fn a_closed_stderr_is_no_fault() {
    let mut child = command(calling(guest(), "guest/nothing", &["-vv"])).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
fn json_is_one_document_whatever_happens() {
    let folder = plugins::folder().display().to_string();
    let plugin = guest().display().to_string();
    for (arguments, code) in [
        (&["list", "--plugins", &folder][..], 0),
        (&["check", &plugin], 0),
        (&["inspect", &plugin], 0),
        (&["completions", "fish"], 0),
        (&["--version"], 0),
        (&["run", &plugin, "--call", "guest/echo", "--input", "[1]"], 0),
        (&["run", &plugin, "--call", "guest/fail"], 1),
        (&["frobnicate"], 2),
        (&["run", &plugin, "--trust", "x"], 2),
        (&["check", "no-such"], 4),
    ] {
        let done = run([arguments, &["--output", "json"]].concat());
        assert_eq!(done.code, code, "{arguments:?}: {}", done.stderr);
        let document = done.json();
        assert_eq!(document.get("error").is_some(), code != 0, "{arguments:?}: {document}");
    }
}

#[test]
fn errors_for_people_have_code_subject_and_remedy() {
    let done = run(calling(tool(), "tool/fail", &[]));
    for part in
        ["plugin_error", "no milk", "its own code out_of_milk", "plugin tool", "runtime native/worker", "action fail"]
    {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    let done = run(calling(tool(), "tool/echo", &["--placement", "tool=in-process"]));
    assert!(done.stderr.contains("help: "), "{}", done.stderr);
}

#[test]
fn the_version_is_that_of_the_product_and_of_the_contract() {
    assert_eq!(run(["--version"]).text(), format!("midplane {} (contract 1.0.0)\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_command_has_help_with_examples() {
    for command in ["run", "open", "check", "inspect", "list", "catalog", "completions"] {
        let done = run([command, "--help"]);
        assert_eq!(done.code, 0);
        assert!(done.text().contains("Examples:") && done.text().contains("Usage:"), "{}", done.text());
    }
    assert!(!run(["--help"]).text().contains("worker  "), "the worker's entry is not for people");
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = run(["completions", shell]);
        assert!(done.code == 0 && done.text().contains("midplane"), "{shell}");
    }
}
