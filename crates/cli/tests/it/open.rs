//! `open`: routing by type and priority.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::midplane::{Done, program, run};
use crate::plugins;

fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn open(path: &std::path::Path, more: &[&str]) -> Done {
    let (path, plugins) = (path.display().to_string(), plugins::folder().display().to_string());
    run([&["open", &path, "--plugins", &plugins][..], more].concat())
}

#[test]
fn the_highest_priority_gets_the_file_and_stderr_says_who_else_could() {
    let (_folder, path) = file("note.TXT", b"hello");
    let done = open(&path, &[]);
    assert_eq!((done.code, done.text().as_str()), (0, "HELLO"), "{}", done.stderr);
    assert!(done.stderr.contains("handled by tool/upper (priority 9)"), "{}", done.stderr);
    assert!(done.stderr.contains("others that could: guest (5)"), "{}", done.stderr);
    assert_eq!(open(&path, &["-q"]).stderr, "");
}

#[test]
fn plugin_and_action_can_be_chosen() {
    let (_folder, path) = file("note.txt", b"hello");
    assert_eq!(open(&path, &["--with", "guest"]).text(), "hello");
    assert_eq!(open(&path, &["--action", "echo"]).text(), "hello");
    assert_eq!(open(&path, &["--with", "guest", "--action", "fail"]).code, 1);
    assert!(open(&path, &["--with", "gust"]).stderr.contains("did you mean `guest`"));
    assert!(open(&path, &["--action", "uper"]).stderr.contains("did you mean `upper`"));
    let (_folder, other) = file("note.xyz", b"hello");
    assert_eq!(open(&other, &["--with", "tool", "--action", "upper"]).text(), "HELLO");
    assert!(open(&other, &["--with", "tool"]).stderr.contains("--action"));
}

#[test]
fn a_type_that_nobody_handles_says_which_are() {
    let (_folder, path) = file("note.xyz", b"hello");
    let done = open(&path, &[]);
    assert_eq!(done.code, 4);
    assert!(
        done.stderr.contains("no plugin handles .xyz files") && done.stderr.contains(".dat .txt"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_type_is_told_by_the_name_and_its_media_type_and_never_by_the_content() {
    // `.text` is nobody's extension; its media type is text/plain, which both handle.
    let (_folder, path) = file("note.text", b"\x89PNG");
    let done = open(&path, &["--output", "json"]);
    let document = done.json();
    assert_eq!((&document["media_type"], &document["handled_by"]["plugin"]), (&"text/plain".into(), &"tool".into()));
    assert_eq!((&document["reply"]["encoding"], &document["others"][0]["plugin"]), (&"base64".into(), &"guest".into()));
}

#[test]
fn the_result_is_saved() {
    let (folder, path) = file("note.txt", b"hello");
    let to = folder.path().join("result");
    let done = open(&path, &["--save", &to.display().to_string()]);
    assert_eq!((done.code, done.stdout.len(), fs::read(&to).unwrap()), (0, 0, b"HELLO".to_vec()), "{}", done.stderr);
}

#[test]
fn a_file_that_may_not_be_read_is_denied() {
    let (folder, path) = file("note.txt", b"hello");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::set_permissions(plugins::folder().parent().unwrap(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    // Held open, it can be started by somebody who may not enter the folder that it lies in.
    let midplane = fs::File::open(env!("CARGO_BIN_EXE_midplane")).unwrap();
    let held = format!("/proc/self/fd/{}", midplane.as_raw_fd());
    let mut command =
        program(held, ["open", &path.display().to_string(), "--plugins", &plugins::folder().display().to_string()]);
    if rustix::process::geteuid().is_root() {
        // Root may read anything: somebody else has to try.
        command.uid(65534).gid(65534).current_dir("/");
    }
    let done = Done::of(command.output().unwrap());
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("cannot be read"), "{}", done.stderr);
}
