//! The catalog as a kernel has it: watching, and what is kept of plugins' use.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use midplane_contract::Code;
use midplane_kernel::catalog::{ChangeKind, Pace};
use midplane_kernel::{Stores, block_on};
use midplane_testkit::{Fake, PATIENCE, PluginFolder, Scratch, eventually, probe};
use serde_json::json;

use crate::house::{House, name};

fn house(stores: &Stores) -> House {
    House::over(Fake::new().program("probe", probe()), |builder| builder.stores(stores.clone()))
}

/// Far apart: what is found is found because it was heard of.
fn by_ear() -> Pace {
    Pace { every: Duration::from_secs(3600), quiet: Duration::from_millis(20) }
}

#[test]
fn a_watched_folder_tells_of_each_change_soon() {
    let house = House::new();
    let scratch = Scratch::new("watched").unwrap();
    let (tell, told) = channel();
    let events = house.kernel.bus().subscribe("plugin.*").unwrap();
    let write = |id: &str| PluginFolder::fake(id, "probe\n1").write(scratch.path()).unwrap();
    let first = write("first");
    let watch = house.kernel.watch(vec![scratch.path().to_path_buf()], by_ear(), move |change| {
        let _ = tell.send((change.change, change.entry.path.clone()));
    });
    // A plugin may be seen before all of its files are there; what counts is what comes in the end.
    let wait_for = |kind: ChangeKind, path: &PathBuf| {
        let is = |told: &(ChangeKind, PathBuf)| told.0 == kind && told.1 == *path;
        while !is(&told.recv_timeout(PATIENCE).unwrap()) {}
    };
    wait_for(ChangeKind::Added, &first);
    let second = write("second");
    wait_for(ChangeKind::Added, &second);
    assert!(eventually(|| house.kernel.catalog().of(&name("second")).is_some()));
    std::fs::remove_dir_all(&first).unwrap();
    wait_for(ChangeKind::Removed, &first);
    let types: Vec<String> = std::iter::from_fn(|| events.try_next()).map(|event| event.topic().to_owned()).collect();
    assert!(types.iter().any(|kind| kind == "plugin.discovered"), "{types:?}");
    assert!(types.iter().any(|kind| kind == "plugin.removed"), "{types:?}");
    drop(watch);
    // Nobody scans any longer: nobody is left who could tell.
    let end = std::iter::repeat_with(|| told.recv_timeout(PATIENCE)).find_map(Result::err);
    assert_eq!(end, Some(RecvTimeoutError::Disconnected));
}

#[test]
fn a_watched_folder_is_scanned_at_intervals() {
    let house = House::new();
    let (tell, told) = channel();
    let scratch = Scratch::new("scanned").unwrap();
    // Not there yet: nobody can hear of it.
    let folder = scratch.path().join("later");
    let pace = Pace { every: Duration::from_millis(20), ..Pace::default() };
    let _watch = house.kernel.watch(vec![folder.clone()], pace, move |change| {
        let _ = tell.send(change.entry.is_valid);
    });
    assert!(!told.recv_timeout(PATIENCE).unwrap(), "listed as not there");
    PluginFolder::fake("p", "probe\n1").write(&folder).unwrap();
    while !told.recv_timeout(PATIENCE).unwrap() {}
}

#[test]
fn a_folder_that_stands_where_another_was_is_heard_of_as_well() {
    let house = House::new();
    let scratch = Scratch::new("again").unwrap();
    let place = |name: &str| scratch.path().join(name);
    let add = |folder: &str, id: &str| PluginFolder::fake(id, "probe\n1").write(&place(folder)).unwrap();
    let is_there = |id: &str| house.kernel.catalog().of(&name(id)).is_some();
    add("plugins", "first");
    add("next", "second");
    // Long enough to put one folder in the place of the other unseen.
    let pace = Pace { quiet: Duration::from_millis(200), ..by_ear() };
    let _watch = house.kernel.watch(vec![place("plugins")], pace, |_| {}).unwrap();
    assert!(eventually(|| is_there("first")));
    std::fs::rename(place("plugins"), place("aside")).unwrap();
    std::fs::rename(place("next"), place("plugins")).unwrap();
    assert!(eventually(|| is_there("second")));
    add("plugins", "third");
    assert!(eventually(|| is_there("third")));
}

#[test]
fn a_kernel_that_goes_ends_its_watch() {
    let house = House::new();
    let watch = house.kernel.watch(Vec::new(), by_ear(), |_| {}).unwrap();
    drop(house);
    drop(watch);
}

#[test]
fn use_is_counted_over_all_hosts_of_a_store() {
    let stores = Stores::default();
    let first = house(&stores);
    let id = first.probe("p");
    for _ in 0..3 {
        first.call("p/echo", "x").unwrap();
    }
    let record = first.kernel.record(&id).unwrap();
    assert_eq!((record.usage.load_count, record.usage.access_count), (1, 3));
    assert!(record.usage.last_access.is_some() && record.usage.load_time_ms > 0.0);
    block_on(first.kernel.shutdown());
    drop(first);
    let second = house(&stores);
    second.probe("p");
    second.call("p/echo", "x").unwrap();
    block_on(second.kernel.restart(&id)).unwrap();
    let record = second.kernel.record(&id).unwrap();
    assert_eq!((record.usage.load_count, record.usage.access_count), (2, 4));
    // A reload loads what is there by now.
    block_on(second.kernel.reload(&id)).unwrap();
    let reloaded = second.kernel.record(&id).unwrap().usage;
    assert_eq!(reloaded.load_count, 3);
    assert!(reloaded.last_loaded_at > record.usage.last_loaded_at);
}

#[test]
fn a_record_names_who_needs_whom_and_holds_notes() {
    let house = House::new();
    house.register(&PluginFolder::fake("base", "probe\n1"));
    let needs = json!([{ "id": "base", "version": "^1" }]);
    house.register(&PluginFolder::fake("top", "probe\n1").with("dependencies", needs));
    // What its author needs it for does not count.
    house.register(&PluginFolder::fake("kit", "probe\n1").with("dev_dependencies", json!({ "base": "^1" })));
    let (base, top) = (name("base"), name("top"));
    assert!(house.kernel.exists(&base) && !house.kernel.exists(&name("other")));
    house.kernel.catalog().set_metadata(&base, json!({ "owner": "x" }).as_object().unwrap()).unwrap();
    let record = house.kernel.record(&base).unwrap();
    assert_eq!((record.dependents, json!(record.metadata)), (vec![top.clone()], json!({ "owner": "x" })));
    let record = house.kernel.record(&top).unwrap();
    assert_eq!((record.dependencies[0].id.clone(), record.dependents.len()), (base.clone(), 0));
    assert_eq!(house.kernel.find(|status| status.manifest.dependencies.is_empty()).len(), 1);
    assert_eq!(house.kernel.record(&name("other")).unwrap_err().code(), Code::PluginNotFound);
}

/// Who made the folder is not asked: it must not end the host, nor the watching.
#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_no_text_is_told_of_like_any_other() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let house = House::new();
    let scratch = Scratch::new("names").unwrap();
    let written = PluginFolder::fake("odd", "probe\n1").write(scratch.path()).unwrap();
    std::fs::rename(written, scratch.path().join(OsStr::from_bytes(b"\xffodd"))).unwrap();
    let events = house.kernel.bus().subscribe("plugin.discovered").unwrap();
    let scan = block_on(house.kernel.scan(vec![scratch.path().to_path_buf()]));
    assert_eq!((scan.valid, scan.changes.len()), (1, 1));
    assert_eq!(events.try_next().unwrap().data()["plugin_id"], json!("odd"));
}
