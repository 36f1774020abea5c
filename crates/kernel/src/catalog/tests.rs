use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use midplane_contract::{Code, RuntimeKind, Version};
use serde_json::json;

use super::*;
use crate::store::{Memory, Store, Work};

#[cfg(unix)]
mod odd;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("catalog-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A plugin with code.
    fn plugin(&self, folder: &str, id: &str, version: &str) -> PathBuf {
        self.write(&format!("{folder}/a.wasm"), "code");
        let more = "actions: [run]\nlabels: {team: x}\npermissions: [state.read]\n\
                    file_types: [{extension: .tst, mime_type: text/test, action: run}]\n\
                    interfaces: {provides: [player@1.0.0]}\ncapabilities: [look]\n";
        let text = format!("id: {id}\nname: A\nversion: {version}\nentry: {{main: a.wasm}}\n{more}");
        self.write(&format!("{folder}/plugin.yaml"), &text).parent().unwrap().to_path_buf()
    }

    fn roots(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(|name| self.0.join(name)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

/// What changed, as `added a`, by the last part of paths.
fn told(scan: &Scan) -> Vec<String> {
    let name = |entry: &Entry| entry.path.file_name().unwrap().to_string_lossy().into_owned();
    let kind = |kind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned();
    scan.changes.iter().map(|change| format!("{} {}", kind(change.change), name(&change.entry))).collect()
}

#[test]
fn a_scan_records_everything_in_depth_and_the_broken_with_their_reasons() {
    let folder = Folder::new();
    folder.plugin("r/deep/er/good", "good", "1.0.0");
    folder.write("r/Bare.WASM", "bare");
    folder.write("r/broken/plugin.yaml", "nonsense: 1");
    folder.write("r/nocode/plugin.yaml", "id: nocode\nname: N\nversion: 1.0.0\nentry: {main: a.so}\n");
    let catalog = Catalog::new(Stores::default());
    let scan = catalog.scan(&folder.roots(&["r", "nowhere"]));
    assert_eq!((scan.found, scan.valid, scan.invalid, scan.read), (5, 2, 3, 4));
    let bare = catalog.at(&folder.0.join("r/Bare.WASM")).unwrap();
    // SHA-256 of "bare".
    assert_eq!(bare.checksum, "9b828d53402d6e332ef05a2fe03063b359192571ba99fcd3b85074f46a72fd7e");
    assert_eq!((bare.kind, bare.size, bare.is_valid), (Some(RuntimeKind::Wasm), 4, true));
    let broken = |path: &str| catalog.at(&folder.0.join(path)).unwrap().validation_error.clone().unwrap();
    assert_eq!(broken("r/broken").code(), Code::ManifestInvalid);
    assert!(broken("r/nocode").record().message.contains("a.so"));
    assert_eq!(broken("nowhere").code(), Code::PluginNotFound);
}

#[test]
fn an_unchanged_rescan_opens_nothing_and_a_changed_one_what_has_changed() {
    let folder = Folder::new();
    let first = folder.plugin("r/one", "one", "1.0.0");
    folder.plugin("r/two", "two", "1.0.0");
    folder.write("r/x.so", "x");
    let roots = folder.roots(&["r"]);
    let catalog = Catalog::new(Stores::default());
    let scan = catalog.scan(&roots);
    assert_eq!((scan.read, told(&scan)), (3, vec!["added one".into(), "added two".into(), "added x.so".into()]));
    let again = catalog.scan(&roots);
    assert_eq!((again.read, again.found, again.changes.len()), (0, 3, 0));
    // As long as before, and at once: size and a coarse clock would not show it.
    let manifest = first.join("plugin.yaml");
    let text = fs::read_to_string(&manifest).unwrap().replace("1.0.0\nentry", "1.0.1\nentry");
    fs::write(&manifest, text).unwrap();
    let changed = catalog.scan(&roots);
    assert_eq!((changed.read, told(&changed)), (1, vec!["changed one".into()]));
    // Other code is another plugin.
    folder.write("r/two/a.wasm", "edoc");
    let changed = catalog.scan(&roots);
    assert_eq!((changed.read, told(&changed)), (1, vec!["changed two".into()]));
    fs::remove_dir_all(folder.0.join("r/two")).unwrap();
    fs::rename(folder.0.join("r/x.so"), folder.0.join("r/y.so")).unwrap();
    let changed = catalog.scan(&roots);
    assert_eq!(told(&changed), ["added y.so", "removed two", "removed x.so"]);
    assert_eq!(catalog.scan(&roots).read, 0);
}

#[test]
fn what_was_not_there_is_found_when_it_comes() {
    let folder = Folder::new();
    folder.write("r/p/plugin.yaml", "id: p\nname: P\nversion: 1.0.0\nentry: {main: out/a.so}\n");
    let roots = folder.roots(&["r"]);
    let catalog = Catalog::new(Stores::default());
    assert_eq!(catalog.scan(&roots).invalid, 1);
    assert_eq!(catalog.scan(&roots).read, 0);
    folder.write("r/p/out/a.so", "code");
    let scan = catalog.scan(&roots);
    assert_eq!((scan.valid, told(&scan)), (1, vec!["changed p".into()]));
    fs::remove_file(folder.0.join("r/p/out/a.so")).unwrap();
    assert_eq!(told(&catalog.scan(&roots)), ["changed p"]);
}

#[test]
fn another_host_over_the_same_store_opens_nothing_either() {
    let folder = Folder::new();
    folder.plugin("r/one", "one", "1.0.0-rc.1");
    folder.write("r/broken/plugin.yaml", "nonsense: 1");
    let roots = folder.roots(&["r"]);
    let stores = Stores::default();
    let first = Catalog::new(stores.clone());
    first.scan(&roots);
    let second = Catalog::new(stores);
    assert_eq!((second.entries().len(), second.folders()), (2, roots.clone()), "known without a scan");
    let scan = second.scan(&roots);
    assert_eq!((scan.read, scan.changes.len()), (0, 0));
    assert_eq!(second.of(&id("one")), first.of(&id("one")));
}

#[test]
fn a_store_that_cannot_be_used_stands_in_no_scans_way() {
    struct Refusing;

    impl Store for Refusing {
        fn get(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>> {
            Err(Error::new(Code::Storage, "no"))
        }

        fn scan(&self, _: &str, _: &str) -> Result<Vec<(String, Vec<u8>)>> {
            Err(Error::new(Code::Storage, "no"))
        }

        fn change(&self, _: &mut Work<'_>) -> Result<()> {
            Err(Error::new(Code::Storage, "no room"))
        }
    }

    let folder = Folder::new();
    folder.plugin("r/one", "one", "1.0.0");
    let stores = Stores { catalog: Arc::new(Refusing), state: Arc::new(Memory::default()) };
    let catalog = Catalog::new(stores);
    let scan = catalog.scan(&folder.roots(&["r"]));
    assert_eq!((scan.valid, scan.not_kept.unwrap().code()), (1, Code::Storage));
    assert!(catalog.of(&id("one")).is_some());
}

#[test]
fn entries_are_found_by_what_they_say_of_themselves() {
    let folder = Folder::new();
    folder.plugin("r/one", "one", "1.0.0");
    folder.write("r/x.so", "x");
    let catalog = Catalog::new(Stores::default());
    catalog.scan(&folder.roots(&["r"]));
    let found = [
        By::Id("one"),
        By::Type("wasm"),
        By::Interface("player"),
        By::Action("run"),
        By::FileType(".TST"),
        By::FileType("text/test"),
        By::Permission("state.read"),
        By::Capability("look"),
        By::Label("team", "x"),
    ];
    for by in found {
        let ids: Vec<String> = catalog.by(by).iter().map(|entry| entry.id().unwrap().to_string()).collect();
        assert_eq!(ids, ["one"], "{by:?}");
    }
    for by in [By::Type("js"), By::Label("team", "y"), By::Action("r")] {
        assert!(catalog.by(by).is_empty(), "{by:?}");
    }
    assert_eq!(catalog.by(By::Type("plugin")).len(), 2);
    assert_eq!(catalog.find(|entry| entry.size == 1).len(), 1);
}

#[test]
fn earlier_folders_take_the_place_of_later_ones_until_they_are_gone() {
    let folder = Folder::new();
    let mine = folder.plugin("mine/a", "a", "1.0.0");
    let theirs = folder.plugin("theirs/a", "a", "2.0.0");
    let roots = folder.roots(&["mine", "theirs"]);
    let catalog = Catalog::new(Stores::default());
    let scan = catalog.scan(&roots);
    assert_eq!((scan.valid, scan.shadowed), (2, 1));
    assert_eq!(catalog.of(&id("a")).unwrap().path, mine);
    assert_eq!(catalog.at(&theirs).unwrap().shadowed_by, Some(mine.clone()));
    fs::remove_dir_all(&mine).unwrap();
    let scan = catalog.scan(&roots);
    assert_eq!((scan.read, scan.changes.len()), (0, 2), "nobody is in its place now");
    assert_eq!(catalog.of(&id("a")).unwrap().path, theirs);
}

#[test]
fn versions_stand_side_by_side_with_their_marks() {
    let folder = Folder::new();
    for version in ["1.0.0", "1.5.0", "2.0.0-rc.1"] {
        folder.plugin(&format!("r/{version}"), "a", version);
    }
    let stores = Stores::default();
    let catalog = Catalog::new(stores.clone());
    catalog.scan(&folder.roots(&["r"]));
    let latest = |catalog: &Catalog| catalog.latest_version(&id("a")).unwrap().unwrap().version.to_string();
    let taken = |catalog: &Catalog| catalog.of(&id("a")).unwrap().manifest.as_ref().unwrap().version.to_string();
    assert_eq!(taken(&catalog), "1.5.0");
    let welcoming = Selection { allow_prerelease: true, ..Selection::default() };
    let welcoming = Catalog::new(stores.clone()).with_selection(welcoming);
    assert_eq!(taken(&welcoming), "2.0.0-rc.1");
    assert_eq!(latest(&catalog), "1.5.0");
    let deprecated = Marks { deprecated: Some(true), ..Marks::default() };
    catalog.mark_version(&id("a"), &Version::new(1, 5, 0), deprecated).unwrap();
    assert_eq!(taken(&catalog), "1.0.0");
    assert_eq!(latest(&catalog), "1.0.0");
    let told = VersionInfo {
        changelog: "All is well.".into(),
        release_date: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        ..VersionInfo::new(Version::new(3, 0, 0))
    };
    catalog.record_version(&id("a"), &told).unwrap();
    // Another host knows it too.
    let other = Catalog::new(stores);
    assert_eq!(latest(&other), "3.0.0");
    let versions = other.versions(&id("a")).unwrap();
    let shown: Vec<String> = versions.iter().map(|info| info.version.to_string()).collect();
    assert_eq!(shown, ["3.0.0", "2.0.0-rc.1", "1.5.0", "1.0.0"]);
    assert_eq!(versions[0], told);
    assert_eq!((versions[2].is_deprecated, versions[2].checksum.len(), versions[2].size), (true, 64, 4));
    assert!(other.versions(&id("a.b")).unwrap().is_empty());
}

#[test]
fn notes_are_laid_over_one_another_and_taken_away() {
    let catalog = Catalog::new(Stores::default());
    let note = |values: serde_json::Value| catalog.set_metadata(&id("a"), values.as_object().unwrap());
    assert!(catalog.metadata(&id("a")).unwrap().is_empty());
    note(json!({ "x": 1, "y": { "z": true } })).unwrap();
    note(json!({ "x": null, "w": "w" })).unwrap();
    assert_eq!(json!(catalog.metadata(&id("a")).unwrap()), json!({ "y": { "z": true }, "w": "w" }));
    assert_eq!(note(json!({ "big": "x".repeat(70_000) })).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(catalog.metadata(&id("a")).unwrap().len(), 2);
}

#[test]
fn installed_records_keep_their_first_time_and_say_how_far_they_are() {
    let stores = Stores::default();
    let catalog = Catalog::new(stores.clone());
    assert!(catalog.installed().unwrap().is_empty());
    let missing = catalog.set_install_status(&id("a"), InstallStatus::Failed);
    assert_eq!(missing.unwrap_err().code(), Code::PluginNotFound);
    let long_ago = jiff::Timestamp::UNIX_EPOCH;
    let record = |version, install_time| Installed {
        id: id("a"),
        version,
        path: "/p/a".into(),
        dependencies: vec![id("b")],
        metadata: serde_json::Map::new(),
        install_time,
        update_time: install_time,
        status: InstallStatus::Pending,
    };
    catalog.record_installed(&record(Version::new(1, 0, 0), long_ago)).unwrap();
    catalog.set_install_status(&id("a"), InstallStatus::Installed).unwrap();
    catalog.record_installed(&record(Version::new(2, 0, 0), jiff::Timestamp::now())).unwrap();
    let installed = Catalog::new(stores.clone()).installed().unwrap();
    assert_eq!(installed.len(), 1);
    assert_eq!((installed[0].install_time, installed[0].status), (long_ago, InstallStatus::Pending));
    assert!(installed[0].update_time > long_ago && installed[0].version == Version::new(2, 0, 0));
    stores.state.change(&mut |change| change.put("installed", "c", b"garbage")).unwrap();
    let error = catalog.installed().unwrap_err();
    assert!(error.code() == Code::Storage && error.record().message.contains('c'), "{error}");
    assert_eq!(
        catalog
            .record_installed(&Installed { id: id("c"), ..record(Version::new(1, 0, 0), long_ago) })
            .unwrap_err()
            .code(),
        Code::Storage
    );
    catalog.forget_installed(&id("c")).unwrap();
    assert_eq!(catalog.installed().unwrap().len(), 1);
}

#[test]
fn a_scan_that_finds_nothing_else_shows_what_was_there_and_broken_ones_are_not_looked_into_again() {
    let folder = Folder::new();
    folder.plugin("r/one", "one", "1.0.0");
    let roots = folder.roots(&["gone", "r"]);
    let stores = Stores::default();
    let catalog = Catalog::new(stores.clone());
    let paths = |catalog: &Catalog| catalog.entries().iter().map(|entry| entry.path.clone()).collect::<Vec<_>>();
    assert_eq!(catalog.scan(&roots).changes.len(), 2);
    let before = paths(&catalog);
    let again = catalog.scan(&roots);
    assert_eq!((again.found, again.valid, again.invalid, again.read, again.changes.len()), (2, 1, 1, 0, 0));
    assert_eq!(paths(&catalog), before);
    // The next host shows what it scans in the order of the folders, too.
    let next = Catalog::new(stores);
    assert_eq!(next.scan(&roots).changes.len(), 0);
    assert_eq!(paths(&next), before);
    // One folder less is a change, though everything else holds.
    let fewer = catalog.scan(&roots[1..]);
    assert_eq!((fewer.found, fewer.changes.len()), (1, 1));
    folder.write("gone/x.so", "x");
    assert_eq!(catalog.scan(&roots).changes.len(), 1);
}
