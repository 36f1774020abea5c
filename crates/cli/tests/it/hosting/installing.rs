//! Installing, with a host that runs and without one.

use std::fs;
use std::path::Path;
use std::process::Child;

use rustix::process::Signal;
use serde_json::json;

use super::{Place, signal, slow, until};
use crate::midplane::{Done, command, piped};

#[test]
fn an_installation_that_fails_leaves_the_host_as_it_was() {
    let place = Place::new();
    let _host = place.host(&[]);
    let bad = place.plugin("bad", &[], "throw new Error('not today');");
    let (code, error) = place.error(&["install", &bad]);
    assert_eq!((code, error["message"].as_str().unwrap().contains("not today")), (1, true), "{error}");
    assert_eq!(place.installed("bad"), "failed");
    let alone = place.plugin("alone", &["nowhere"], "");
    assert_eq!(place.error(&["install", &alone]).1["code"], "dependency_not_found");
    assert_eq!(place.error(&["install", "/nowhere"]).0, 4);
    fs::write(place.path("notes.txt"), "x").unwrap();
    assert_eq!(place.error(&["install", &place.path("notes.txt").display().to_string()]).1["code"], "not_a_plugin");
    assert_eq!(place.error(&["load", "bad"]).1["code"], "plugin_not_found");
    assert_eq!(place.json(&["bus", "stats"])["published_by_type"].get("plugin.installed"), None);
    let listed = place.run(&["catalog", "installed"]).text();
    let line = |id: &str| listed.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
    assert!(line("alone").contains("failed") && line("bad").contains("not today"), "{listed}");
    place.plugin("bad", &[], "");
    place.json(&["install", &bad]);
    assert_eq!(place.installed("bad"), "installed");
    let listed = place.json(&["catalog", "installed"]);
    assert_eq!(
        (&listed["installed"][1]["id"], &listed["installed"][1]["status"]),
        (&json!("bad"), &json!("installed"))
    );
}

#[test]
fn whoever_gives_an_installation_up_has_it_undone() {
    let place = Place::new();
    let _host = place.host(&[]);
    let path = slow(&place);
    let child = piped(command(["install", &path]).env("MIDPLANE_DATA", place.path("data")));
    until("it has begun", || Path::new(&path).join("begun").exists());
    assert_eq!(place.installed("slow"), "pending");
    signal(&child, Signal::INT);
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{done:?}");
    fs::remove_file(Path::new(&path).join("wait")).unwrap();
    until("it is undone", || place.installed("slow") == "failed");
    assert_eq!(place.error(&["load", "slow"]).1["code"], "plugin_not_found");
}

#[test]
fn a_host_that_is_killed_half_way_leaves_what_the_next_one_settles() {
    let place = Place::new();
    let host = place.host(&[]);
    let good = place.plugin("good", &[], "");
    place.json(&["install", &good]);
    let path = slow(&place);
    let child = piped(command(["install", &path]).env("MIDPLANE_DATA", place.path("data")));
    until("it has begun", || Path::new(&path).join("begun").exists());
    host.ends(Signal::KILL);
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, 7, "{done:?}");
    assert!(done.stderr.contains("the host has gone"), "{done:?}");
    fs::remove_file(Path::new(&path).join("wait")).unwrap();
    assert!(place.path("data/host.sock").exists(), "a dead host's door");
    assert_eq!(place.installed("slow"), "pending");
    let mut host = place.host(&[]);
    host.hears("good begins");
    host.hears("the installation of slow");
    assert_eq!((place.installed("slow"), place.installed("good")), (json!("failed"), json!("installed")));
    assert_eq!(place.error(&["load", "good"]).1["code"], "already_loaded");
}

#[test]
fn without_a_host_installing_tries_the_plugin_and_the_next_host_loads_it() {
    let place = Place::new();
    let changes =
        ["load", "unload", "start", "stop", "restart", "reload", "enable", "disable"].map(|one| vec![one, "p"]);
    let others = [&["grant", "p", "a.b"][..], &["revoke", "p", "--all"], &["grants"], &["bus", "stats"], &["status"]];
    for asked in changes.into_iter().chain(others.map(<[&str]>::to_vec)) {
        let (code, error) = place.error(&asked);
        assert_eq!((code, &error["code"]), (7, &json!("peer_gone")), "{asked:?}");
        assert!(error["remedy"].as_str().unwrap().contains("midplane run --data"), "{error}");
    }
    let bad = place.plugin("bad", &[], "throw new Error('no');");
    assert_eq!(place.error(&["install", &bad]).0, 1);
    let (base, top) = (place.plugin("base", &[], ""), place.plugin("top", &["base"], ""));
    assert_eq!(place.error(&["install", &top]).1["code"], "dependency_not_found");
    let done = place.json(&["install", &base]);
    assert_eq!((&done["host"], &done["state"]), (&json!(false), &json!("registered")));
    place.json(&["install", &top]);
    assert_eq!(place.error(&["install", &top]).1["code"], "already_registered");
    assert_eq!(place.error(&["uninstall", "base"]).1["data"]["dependents"], json!(["top"]));
    // One call needs no host that stays.
    let done = place.run(&["run", "--call", "top/who"]);
    assert_eq!((done.code, done.text().contains("top")), (0, true), "{done:?}");
    let mut host = place.host(&[]);
    host.hears("top begins");
    assert!(host.position("base begins") < host.position("top begins"));
    assert_eq!(host.ends(Signal::TERM), 130);
    place.json(&["uninstall", &top]);
    fs::remove_dir_all(&base).unwrap();
    let host = place.host(&[]);
    assert!(host.position("cannot be used") < host.position("running;"), "{:?}", host.heard);
    drop(host);
    place.json(&["uninstall", "base"]);
    assert_eq!(place.error(&["uninstall", "base"]).0, 4);
}

#[test]
fn without_a_host_an_installation_that_is_given_up_comes_to_nothing() {
    let place = Place::new();
    let path = slow(&place);
    let child = piped(command(["install", &path]).env("MIDPLANE_DATA", place.path("data")));
    until("it has begun", || Path::new(&path).join("begun").exists());
    signal(&child, Signal::TERM);
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{done:?}");
    place.json(&["install", &place.plugin("good", &[], "")]);
    assert_eq!((place.installed("slow"), place.installed("good")), (json!("failed"), json!("installed")));
}

#[test]
fn of_several_installations_at_once_one_wins() {
    let place = Place::new();
    let path = place.plugin("p", &[], "");
    let at_once = || {
        let start = |_| piped(command(["install", &path]).env("MIDPLANE_DATA", place.path("data")));
        let running: Vec<Child> = (0..4).map(start).collect();
        let mut codes: Vec<i32> =
            running.into_iter().map(|child| Done::of(child.wait_with_output().unwrap()).code).collect();
        codes.sort_unstable();
        codes
    };
    // Without a host, and with one.
    assert_eq!(at_once(), [0, 3, 3, 3]);
    place.json(&["uninstall", "p"]);
    let _host = place.host(&[]);
    assert_eq!(at_once(), [0, 3, 3, 3]);
    assert_eq!(place.installed("p"), "installed");
}
