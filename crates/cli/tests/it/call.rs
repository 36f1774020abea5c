//! `run --call`: what goes in and what comes out.

use std::fs;

use crate::midplane::{calling, feed, run};
use crate::plugins::{guest, tool};

#[test]
fn the_reply_comes_out_as_it_is() {
    let done = run(calling(guest(), "guest/echo", &["--input", "{\"a\": [1, 2]}"]));
    assert_eq!((done.code, done.text().as_str()), (0, "{\"a\": [1, 2]}"), "{}", done.stderr);
    let done = run(calling(tool(), "tool/upper", &["--input", "\"shout\""]));
    assert_eq!((done.code, done.text().as_str()), (0, "\"SHOUT\""), "{}", done.stderr);
}

#[test]
fn bytes_of_every_value_survive_the_way_there_and_back() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 256) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in"), folder.path().join("out"));
    fs::write(&from, &bytes).unwrap();
    for (plugin, address) in [(tool(), "tool/echo"), (guest(), "guest/echo")] {
        assert_eq!(feed(calling(plugin.clone(), address, &["--input", "-"]), &bytes).stdout, bytes);
        let input = from.display().to_string();
        assert_eq!(run(calling(plugin.clone(), address, &["--input", &input])).stdout, bytes);
        let (input, save) = (format!("@{input}"), to.display().to_string());
        let done = run(calling(plugin, address, &["--input", &input, "--save", &save]));
        assert_eq!((done.code, done.stdout.len()), (0, 0), "{}", done.stderr);
        assert!(done.stderr.contains("saved 300000 bytes"), "{}", done.stderr);
        assert_eq!(fs::read(&to).unwrap(), bytes);
    }
}

#[test]
fn without_input_and_with_empty_stdin_the_input_is_empty() {
    for (more, stdin) in [(&[][..], &b""[..]), (&["--input", "-"][..], &b""[..])] {
        let done = feed(calling(guest(), "guest/echo", &[more, &["--output", "json"]].concat()), stdin);
        assert_eq!((done.code, &done.json()["reply"]["size"]), (0, &0.into()), "{}", done.stderr);
    }
}

#[test]
fn an_input_that_is_neither_file_nor_json_says_what_was_tried() {
    let done = run(calling(guest(), "guest/echo", &["--input", "missing.json"]));
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("neither a file nor JSON") && done.stderr.contains("/missing.json"),
        "{}",
        done.stderr
    );
    let done = run(calling(guest(), "guest/echo", &["--input", "@missing.json"]));
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("there is no file /"), "{}", done.stderr);
}

#[test]
fn an_input_above_the_payload_cap_is_refused_by_name() {
    let manifest = "id: guest\nname: G\nversion: 1.0.0\nentry: { runtime: wasm, main: guest.wasm }\n\
                    actions: [echo]\nlimits: { payload: 8 }\n";
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/plugins/guest.wat")).unwrap();
    let plugin = crate::plugins::wasm(manifest, &text);
    let call = |input: &[u8]| feed(calling(plugin.path().into(), "guest/echo", &["--input", "-"]), input);
    assert_eq!(call(b"12345678").text(), "12345678");
    let done = call(b"123456789");
    assert_eq!((done.code, done.stdout.len()), (2, 0));
    assert!(done.stderr.contains("stdin has more than the 8 bytes"), "{}", done.stderr);
}

#[test]
fn a_plugin_s_own_error_stays_whole() {
    let done = run(calling(tool(), "tool/fail", &["--output", "json"]));
    assert_eq!((done.code, done.error().as_str()), (1, "plugin_error"));
    let error = &done.json()["error"];
    assert_eq!((&error["plugin"], &error["action"]), (&"tool".into(), &"fail".into()));
    assert_eq!((&error["data"]["code"], &error["data"]["data"]["shelf"]), (&"out_of_milk".into(), &3.into()));
    let done = run(calling(guest(), "guest/fail", &[]));
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("closed on Sundays"), "{}", done.stderr);
}

#[test]
fn a_failed_call_leaves_the_saved_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    fs::write(&path, "before").unwrap();
    let done = run(calling(tool(), "tool/fail", &["--save", &path.display().to_string()]));
    assert_eq!(done.code, 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn unknown_names_get_the_nearest_ones() {
    let done = run(calling(guest(), "guets/echo", &[]));
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("did you mean `guest`"), "{}", done.stderr);
    let done = run(calling(guest(), "guest/ecko", &[]));
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("did you mean `echo`"), "{}", done.stderr);
    let done = run(calling(guest(), "guest/echo", &["--trust", "gest=trusted"]));
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("did you mean `guest`"), "{}", done.stderr);
}

#[test]
fn what_the_operator_decides_counts() {
    let done = run(calling(tool(), "tool/upper", &["--input", "1", "--output", "json"]));
    assert_eq!(done.json()["runtime"], "native/worker");
    let inside = ["--input", "1", "--output", "json", "--placement", "tool=in-process"];
    assert_eq!(run(calling(tool(), "tool/upper", &inside)).error(), "permission_denied");
    let trusted = [&inside[..], &["--trust", "tool=trusted"]].concat();
    assert_eq!(run(calling(tool(), "tool/upper", &trusted)).json()["runtime"], "native/in-process");
    let worker = ["--input", "1", "--output", "json", "--trust", "guest=untrusted"];
    assert_eq!(run(calling(guest(), "guest/echo", &worker)).json()["runtime"], "wasm/worker");
}

#[test]
fn a_plugin_s_log_goes_to_stderr_under_its_name() {
    for (more, logged) in [(&[][..], true), (&["-q"][..], false), (&["-v"][..], true)] {
        let done = run(calling(tool(), "tool/log", more));
        assert_eq!((done.code, done.stdout.len()), (0, 0), "{}", done.stderr);
        assert_eq!(done.stderr.contains("[tool] a line of the plugin"), logged, "{more:?}: {}", done.stderr);
    }
}
