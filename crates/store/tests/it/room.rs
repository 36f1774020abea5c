//! No room and no rights.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use midplane_kernel::store::Store;
use midplane_store::Sqlite;

use crate::processes::{Other, arguments, number};

#[test]
fn where_there_is_no_more_room_the_change_is_refused_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    // Ignored, the signal leaves an error to be seen, as a full disk does. Files of 1 MiB at most.
    let limited = "trap '' XFSZ; ulimit -f 1024 || exit 1; exec \"$0\" \"$@\"";
    let program = std::env::current_exe().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(program).args(arguments("counts_until_it_cannot"));
    let mut other = Other::started(&mut shell, folder.path());
    let mut told = 0;
    let error = loop {
        let said = other.says().unwrap();
        match said.parse::<u64>() {
            Ok(number) => told = number,
            Err(_) => break said,
        }
    };
    assert!(told > 0 && error.starts_with("storage | "), "{told}: {error}");
    assert!(error.contains("nothing was changed") && error.contains("state.db"), "{error}");
    let store = Sqlite::lasting(&folder.path().join("state.db")).unwrap();
    assert_eq!(number(store.get("one", "n").unwrap()), told);
    assert_eq!(number(store.get("two", "n").unwrap()), told);
}

#[test]
fn a_folder_that_may_not_be_written_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (closed.as_path(), 0o555)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let said = as_nobody(folder.path(), &closed);
    assert!(said.starts_with("storage | "), "{said}");
    assert!(said.contains("closed") && said.contains("right to write the data folder"), "{said}");
}

/// What a process without rights says; nothing is unwritable to root.
fn as_nobody(folder: &Path, data: &Path) -> String {
    let program = std::env::current_exe().unwrap();
    let copy = folder.join("tests");
    std::fs::copy(program, &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&copy);
    command.args(arguments("counts_until_it_cannot")).current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    Other::started(&mut command, data).says().unwrap()
}
