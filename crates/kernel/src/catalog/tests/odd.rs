//! What stands in folders though nobody means it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn what_is_no_regular_file_holds_no_scan_up() {
    let folder = Folder::new();
    folder.plugin("r/good", "good", "1.0.0");
    let pipe = |path: PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let done = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(done.success());
    };
    pipe(folder.0.join("r/pipe/plugin.yaml"));
    pipe(folder.0.join("r/pipe.wasm"));
    symlink("/dev/zero", folder.0.join("r/endless.so")).unwrap();
    fs::create_dir(folder.0.join("r/zero")).unwrap();
    symlink("/dev/zero", folder.0.join("r/zero/plugin.yaml")).unwrap();
    let catalog = Catalog::new(Stores::default());
    let scan = catalog.scan(&folder.roots(&["r"]));
    assert_eq!((scan.valid, scan.invalid), (1, 4));
    for entry in catalog.find(|entry| !entry.is_valid) {
        let error = entry.validation_error.as_ref().unwrap().record().message.clone();
        assert!(error.contains("a named pipe") || error.contains("a device") || error.contains("/dev/zero"), "{error}");
        assert_eq!((entry.checksum.as_str(), entry.size), ("", 0), "{error}");
    }
    assert_eq!(catalog.scan(&folder.roots(&["r"])).read, 0, "known for what they are");
}

#[test]
fn a_file_without_end_in_sight_is_not_read() {
    let folder = Folder::new();
    let sparse = folder.write("r/huge.so", "");
    fs::File::options().write(true).open(&sparse).unwrap().set_len(1 << 40).unwrap();
    folder.plugin("r/good", "good", "1.0.0");
    let catalog = Catalog::new(Stores::default());
    assert_eq!(catalog.scan(&folder.roots(&["r"])).valid, 1);
    let entry = catalog.at(&sparse).unwrap();
    assert_eq!(entry.validation_error.as_ref().unwrap().code(), Code::LimitExceeded);
    assert_eq!(catalog.scan(&folder.roots(&["r"])).read, 0);
}

#[test]
fn a_name_that_is_no_text_is_shown_as_well_as_can_be() {
    let folder = Folder::new();
    let plain = folder.plugin("r/x", "a", "1.0.0");
    let odd = folder.0.join("r").join(OsStr::from_bytes(b"\xff\xfename"));
    fs::rename(&plain, &odd).unwrap();
    folder.plugin("s/a", "a", "1.0.0");
    let catalog = Catalog::new(Stores::default());
    let scan = catalog.scan(&folder.roots(&["r", "s"]));
    assert_eq!((scan.valid, scan.shadowed), (2, 1));
    assert_eq!(catalog.of(&id("a")).unwrap().path, odd);
    let shown = serde_json::to_value(&scan).unwrap();
    assert!(shown["changes"][0]["entry"]["path"].as_str().unwrap().ends_with("\u{fffd}\u{fffd}name"), "{shown}");
    assert!(shown["changes"][1]["entry"]["shadowed_by"].as_str().unwrap().ends_with("name"), "{shown}");
}

#[test]
fn folders_are_remembered_from_the_root_on_whatever_folder_the_next_host_is_in() {
    let folder = Folder::new();
    let plugin = folder.plugin("r/a", "a", "1.0.0");
    let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
    let near = |path: &Path| up.join(path.strip_prefix("/").unwrap());
    let stores = Stores::default();
    let catalog = Catalog::new(stores.clone());
    catalog.scan(&[near(&folder.0.join("r"))]);
    assert!(catalog.folders()[0].is_absolute() && catalog.entries()[0].path.is_absolute(), "{:?}", catalog.folders());
    assert!(catalog.at(&near(&plugin)).is_some_and(|entry| entry.is_valid));
    // One whose catalog is lost knows where to look.
    let anew = Catalog::new(Stores { catalog: Stores::default().catalog, ..stores });
    assert_eq!((anew.entries().len(), anew.folders()), (0, catalog.folders()));
    assert_eq!(anew.scan(&anew.folders()).valid, 1);
}
