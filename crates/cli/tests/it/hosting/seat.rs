//! One host of a folder, and its door.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Host, Place, settings, slow, until};
use crate::midplane::{command, piped};

#[test]
fn a_plugin_that_takes_long_to_begin_keeps_nobody_from_the_door() {
    let place = Place::new();
    let path = slow(&place);
    let settings = settings(&place, json!({ "plugins": { "slow": { "auto_start": true } } }));
    let child = piped(command(["run", "--settings", &settings]).env("MIDPLANE_DATA", place.path("data")));
    until("it has begun", || Path::new(&path).join("begun").exists());
    assert_eq!(place.json(&["status", "slow"])["plugins"][0]["state"], "loading");
    place.json(&["install", &place.plugin("other", &[], "")]);
    fs::remove_file(Path::new(&path).join("wait")).unwrap();
    drop(Host::of(child));
    assert_eq!(place.installed("other"), "installed");
}

#[test]
fn a_daemon_runs_by_a_file_in_its_folder_with_plugins_beside_it() {
    let place = Place::new();
    place.plugin("a", &[], "");
    fs::create_dir(place.path("configs")).unwrap();
    let text = "module_manager:\n  module_dirs: [./plugins]\n  auto_load: true\n  scan_interval: 60\n";
    fs::write(place.path("configs/config.yaml"), text).unwrap();
    let mut command = command(["run", "--settings", "configs/config.yaml", "--data", "data"]);
    let mut host = Host::of(piped(command.current_dir(place.0.path())));
    host.hears("a begins");
    assert_eq!(place.error(&["load", "a"]).1["code"], "already_loaded");
}

#[test]
fn a_second_host_of_a_folder_opens_no_door_and_says_so() {
    let place = Place::new();
    let _first = place.host(&[]);
    let (code, error) = place.error(&["run"]);
    assert_eq!((code, error["message"].as_str().unwrap().contains("another host")), (7, true), "{error}");
    let plugin = place.plugin("p", &[], "");
    let second = place.host(&[&plugin]);
    assert!(second.position("another host runs over") < second.position("running;"));
    drop(second);
    // The door is still the first one's.
    place.json(&["install", &plugin]);
}

#[test]
fn a_folder_that_others_may_write_gets_no_door() {
    let place = Place::new();
    fs::create_dir(place.path("data")).unwrap();
    fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o777)).unwrap();
    let host = place.host(&[]);
    assert!(host.heard[host.position("no door")].contains("chmod go-w"), "{:?}", host.heard);
    // It is the host of that folder all the same: nothing is installed behind its back.
    let (code, error) = place.error(&["install", &place.plugin("p", &[], "")]);
    assert_eq!((code, error["message"].as_str().unwrap().contains("has no door")), (7, true), "{error}");
}
