//! Files overwritten with garbage.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use midplane_contract::Code;
use midplane_kernel::store::Store;
use midplane_store::Sqlite;

fn filled(store: &Sqlite) {
    store.change(&mut |change| (0..2000).try_for_each(|n| change.put("t", &format!("{n:05}"), &[b'x'; 200]))).unwrap();
}

type Damage = (&'static str, fn(&Path));

/// Garbage over the whole file, over its middle, nothing at all, and a database of somebody else.
fn damages() -> Vec<Damage> {
    vec![
        ("whole", |path| fs::write(path, vec![0xa5; 50_000]).unwrap()),
        ("empty", |path| fs::write(path, b"").unwrap()),
        ("middle", |path| {
            let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.seek(SeekFrom::Start(8192)).unwrap();
            file.write_all(&[0xa5; 200_000]).unwrap();
        }),
        ("foreign", |path| {
            let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.seek(SeekFrom::Start(68)).unwrap();
            file.write_all(b"else").unwrap();
        }),
    ]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_cannot_be_had_again_is_never_overwritten() {
    for (name, damage) in damages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        filled(&Sqlite::lasting(&path).unwrap());
        damage(&path);
        let before = fs::read(&path).unwrap();
        let Err(error) = Sqlite::lasting(&path) else { panic!("{name} was opened") };
        assert_eq!(error.code(), Code::Storage, "{name}: {error:?}");
        let remedy = error.record().remedy.clone().unwrap();
        assert!(
            error.record().message.contains("is damaged") && remedy.contains("put back a copy"),
            "{name}: {error:?}"
        );
        assert!(fs::read(&path).unwrap() == before, "{name} was written to");
        assert_eq!(names(folder.path()), ["opening.lock", "state.db"], "{name}");
    }
}

#[test]
fn what_can_be_found_again_is_set_aside_and_begun_anew() {
    for (name, damage) in damages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        filled(&Sqlite::rebuildable(&path).unwrap());
        damage(&path);
        let store = Sqlite::rebuildable(&path).unwrap();
        // Damage in the middle shows when it is read.
        assert!(store.scan("t", "").unwrap().is_empty(), "{name}");
        filled(&store);
        assert_eq!(store.scan("t", "").unwrap().len(), 2000, "{name}");
        let names = names(folder.path());
        assert!(names.iter().any(|file| file.starts_with("catalog.db.broken-")), "{name}: {names:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_or_a_pipe_in_the_place_of_a_file_is_damage_too() {
    let folder_there = |path: &Path| fs::create_dir_all(path.join("full")).unwrap();
    let pipe_there = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    for put in [&folder_there as &dyn Fn(&Path), &pipe_there] {
        let folder = tempfile::tempdir().unwrap();
        let (state, catalog) = (folder.path().join("state.db"), folder.path().join("catalog.db"));
        put(&state);
        put(&catalog);
        let Err(error) = Sqlite::lasting(&state) else { panic!("it was opened") };
        assert!(error.record().message.contains("is damaged: it is no file"), "{error:?}");
        filled(&Sqlite::rebuildable(&catalog).unwrap());
        let names = names(folder.path());
        assert!(names.iter().any(|file| file.starts_with("catalog.db.broken-")), "{names:?}");
    }
}

#[test]
fn a_log_without_its_file_is_not_laid_over_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    fs::write(folder.path().join("state.db-wal"), b"log").unwrap();
    assert_eq!(Sqlite::lasting(&path).err().unwrap().code(), Code::Storage);
    let catalog = folder.path().join("catalog.db");
    fs::write(folder.path().join("catalog.db-wal"), b"log").unwrap();
    assert!(Sqlite::rebuildable(&catalog).unwrap().scan("t", "").unwrap().is_empty());
}

#[test]
fn a_later_layout_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(Sqlite::lasting(&path).unwrap());
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&[0, 0, 0, 9]).unwrap();
    drop(file);
    let error = Sqlite::lasting(&path).err().unwrap();
    assert!(error.record().message.contains("layout 9"), "{error:?}");
}
