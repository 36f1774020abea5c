//! Killed at any moment, a host leaves the old or the new.

use midplane_kernel::store::Store;
use midplane_store::Sqlite;

use crate::processes::{Other, count, number};

#[test]
fn what_was_told_to_be_written_is_there_after_a_kill_and_nothing_is_there_by_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut told = 0;
    // At first it is killed while it makes the file, later at one change or another.
    for round in 0..12 {
        let mut writer = Other::playing("counts", folder.path());
        assert_eq!(writer.says().as_deref(), Some("here"));
        for _ in 0..round {
            told = writer.says().unwrap().parse().unwrap();
        }
        writer.kill();
        let store = Sqlite::lasting(&path).unwrap();
        let (one, two) = (number(store.get("one", "n").unwrap()), number(store.get("two", "n").unwrap()));
        assert_eq!(one, two);
        assert!(one >= told, "{told} was told, {one} is there");
    }
    assert!(count(&Sqlite::lasting(&path).unwrap(), 1).unwrap() > told);
}
