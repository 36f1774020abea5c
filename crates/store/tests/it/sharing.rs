//! Several hosts over one folder.

use midplane_contract::Code;
use midplane_kernel::store::Store;
use midplane_store::Sqlite;

use crate::processes::{Other, count, number};

#[test]
fn several_processes_count_together_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut others: Vec<Other> = (0..4).map(|_| Other::playing("counts_a_hundred_times", folder.path())).collect();
    for other in &mut others {
        assert_eq!(other.says().as_deref(), Some("done"));
    }
    let store = Sqlite::lasting(&folder.path().join("state.db")).unwrap();
    assert_eq!(number(store.get("one", "n").unwrap()), 400);
}

#[test]
fn who_holds_the_file_for_too_long_is_spoken_of_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::lasting(&folder.path().join("state.db")).unwrap();
    count(&store, 1).unwrap();
    let mut other = Other::playing("holds_the_file", folder.path());
    assert_eq!(other.says().as_deref(), Some("held"));
    let error = count(&store, 1).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("another process"), "{error}");
    assert_eq!(number(store.get("one", "n").unwrap()), 1);
    other.kill();
    assert_eq!(count(&store, 1).unwrap(), 2);
}
