//! On a terminal: colours, and no raw bytes.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::midplane::{calling, command};
use crate::plugins::{guest, tool};

/// Runs it with stdout and stderr on a terminal, and returns what that shows.
fn on_terminal(command: &mut Command) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    command.stdout(Stdio::from(terminal.try_clone().unwrap())).stderr(Stdio::from(terminal));
    let mut child = command.spawn().unwrap();
    // The command holds the terminal as well until it is dropped.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (mut controller, mut shown) = (File::from(controller), Vec::new());
    // Reading ends with an error when nobody has the terminal open any longer.
    let _ = controller.read_to_end(&mut shown);
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn a_binary_reply_is_described_and_not_dumped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    std::fs::write(&path, b"\xff\xd8\xff\xe0 and \x1b[2J so on").unwrap();
    let input = path.display().to_string();
    let shown = on_terminal(&mut command(calling(guest(), "guest/echo", &["--input", &input])));
    assert!(shown.contains("JPEG picture, 19 bytes") && shown.contains("--save"), "{shown:?}");
    assert!(!shown.contains("\u{1b}[2J"), "{shown:?}");
}

#[test]
fn text_is_shown_and_ends_its_line() {
    let shown = on_terminal(&mut command(calling(guest(), "guest/echo", &["--input", "\"text\""])));
    assert_eq!(shown, "\"text\"\r\n");
}

#[test]
fn errors_are_coloured_on_a_terminal_unless_no_color_is_set() {
    let call = || command(calling(tool(), "tool/fail", &[]));
    assert!(on_terminal(&mut call()).contains("\u{1b}["));
    assert!(!on_terminal(call().env("NO_COLOR", "1")).contains('\u{1b}'));
    assert!(!on_terminal(call().env("TERM", "dumb")).contains('\u{1b}'));
    // What the plugin itself wants to steer the terminal with is shown as text.
    assert!(on_terminal(&mut call()).contains("\\u{1b}[31mleft"));
}
