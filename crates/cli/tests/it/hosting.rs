//! A host that runs over a data folder, and the commands that speak to it.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::midplane::{Done, command, piped};
use crate::plugins;

/// A data folder and a folder for plugins.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A JavaScript plugin that says on stderr when it is started.
    fn plugin(&self, id: &str, needs: &[&str], init: &str) -> String {
        let folder = self.path("plugins").join(id);
        fs::create_dir_all(&folder).unwrap();
        let code = format!(
            "export default {{ onInit() {{ {init} }}, onStart() {{ console.log('{id} begins'); }}, actions: {{ who() {{ return '{id}'; }} }} }};"
        );
        fs::write(folder.join("plugin.js"), code).unwrap();
        let needs: Vec<Value> = needs.iter().map(|id| json!({ "id": id })).collect();
        let manifest = json!({
            "id": id, "name": id, "version": "1.0.0", "entry": { "runtime": "js", "main": "plugin.js" },
            "actions": ["who"], "dependencies": needs,
        });
        fs::write(folder.join("plugin.json"), manifest.to_string()).unwrap();
        folder.display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(command(arguments).env("MIDPLANE_DATA", self.path("data")).output().unwrap())
    }

    /// The document of a command that goes well.
    fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(done.code, 0, "{done:?}");
        done.json()
    }

    /// The exit code and the error of one that does not.
    fn error(&self, arguments: &[&str]) -> (i32, Value) {
        let done = self.run(&[arguments, &["--output", "json"]].concat());
        (done.code, done.json()["error"].clone())
    }

    fn host(&self, arguments: &[&str]) -> Host {
        let all = ["run"].iter().chain(arguments).copied();
        Host::of(piped(command(all).env("MIDPLANE_DATA", self.path("data"))))
    }

    /// How far an installation is, as the catalog shows it.
    fn installed(&self, id: &str) -> Value {
        self.json(&["catalog", "show", id])["installed"]["status"].clone()
    }
}

/// A host, and what it said on stderr.
struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    heard: Vec<String>,
}

impl Host {
    /// Up to where it waits.
    fn of(mut child: Child) -> Self {
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut host = Self { child, lines, heard: Vec::new() };
        host.hears("running; Ctrl-C ends it");
        host
    }

    /// Waits until it says something.
    fn hears(&mut self, part: &str) {
        while !self.heard.iter().any(|line| line.contains(part)) {
            let Some(Ok(line)) = self.lines.next() else { panic!("no {part} in {:#?}", self.heard) };
            self.heard.push(line);
        }
    }

    fn position(&self, part: &str) -> usize {
        let found = self.heard.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {:#?}", self.heard))
    }

    fn ends(mut self, with: Signal) -> i32 {
        signal(&self.child, with);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("in vain: {what}");
}

#[test]
fn plugins_come_and_go_while_their_host_runs() {
    let place = Place::new();
    let mut host = place.host(&[]);
    let (base, top) = (place.plugin("base", &[], ""), place.plugin("top", &["base"], ""));
    let done = place.json(&["install", &base]);
    assert_eq!(
        done,
        json!({
            "id": "base", "version": "1.0.0", "state": "running", "disabled": false, "path": base, "host": true,
        })
    );
    let script = place.path("plugins/shell");
    fs::create_dir_all(&script).unwrap();
    fs::write(
        script.join("plugin.yaml"),
        "{id: shell, name: S, version: 1.0.0, entry: {runtime: script, main: s.sh}, actions: [a]}",
    )
    .unwrap();
    let text = "#!/bin/sh\necho '{\"id\":1,\"method\":\"register\",\"params\":{\"actions\":[\"a\"]}}'\nwhile read -r line; do\n\
        id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*}\n[ -n \"$id\" ] && echo \"{\\\"id\\\":\\\"$id\\\",\\\"result\\\":{}}\"\ndone\n";
    fs::write(script.join("s.sh"), text).unwrap();
    fs::set_permissions(script.join("s.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let done = place.run(&["install", &script.display().to_string()]);
    assert_eq!((done.code, done.text().as_str()), (0, "installed shell 1.0.0; it is running\n"), "{done:?}");
    place.json(&["install", &top]);
    host.hears("top begins");
    let library = plugins::tool().display().to_string();
    assert_eq!(place.json(&["install", &library])["state"], "running", "a native library");
    let status = place.json(&["status"]);
    let states: Vec<(&Value, &Value)> =
        status["plugins"].as_array().unwrap().iter().map(|one| (&one["id"], &one["state"])).collect();
    assert_eq!(
        json!(states),
        json!([["base", "running"], ["shell", "running"], ["tool", "running"], ["top", "running"]])
    );
    assert_eq!(status["host"]["pid"], host.child.id());
    let row = place.run(&["status", "tool"]).text();
    assert!(row.starts_with("tool  1.2.3  running  native/worker  ") && row.lines().count() == 1, "{row}");
    let (code, error) = place.error(&["install", &top]);
    assert_eq!((code, &error["code"], &error["data"]["version"]), (3, &json!("already_registered"), &json!("1.0.0")));
    let (code, error) = place.error(&["unload", "base"]);
    assert_eq!((code, &error["code"], &error["data"]["dependents"]), (7, &json!("has_dependents"), &json!(["top"])));
    assert_eq!(place.json(&["unload", "base", "--cascade"])["unloaded"], json!(["top", "base"]));
    assert_eq!(place.json(&["load", "top"])["state"], "running");
    assert_eq!(place.error(&["load", "base"]).1["code"], "already_loaded");
    assert_eq!(place.error(&["load", "nobody"]).0, 4);
    assert_eq!(place.error(&["uninstall", "base"]).1["data"]["dependents"], json!(["top"]));
    let text = place.run(&["uninstall", "base", "--cascade"]).text();
    assert_eq!(text, "uninstalled base, after top\n");
    let stats = place.json(&["bus", "stats", "--reset"]);
    assert_eq!(
        (&stats["published_by_type"]["plugin.installed"], stats["total_subscribers"].is_u64()),
        (&json!(4), true)
    );
    assert!(stats["subscribers"].is_array() && stats["total_published"].as_u64().unwrap() > 10);
    assert_eq!(place.json(&["bus", "stats"])["total_published"], 0);
    assert!(place.run(&["bus", "stats"]).text().starts_with("0 published, "));
    assert_eq!(host.ends(Signal::INT), 130);
    assert!(!place.path("data/host.sock").exists());
}

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
    place.plugin("bad", &[], "");
    place.json(&["install", &bad]);
    assert_eq!(place.installed("bad"), "installed");
}

/// A script that takes as long to begin as the file `wait` is there.
fn slow(place: &Place) -> String {
    let folder = place.path("plugins/slow");
    fs::create_dir_all(&folder).unwrap();
    let code = format!(
        "#!/bin/sh\ntouch '{0}/begun'\nwhile [ -e '{0}/wait' ]; do sleep 0.05; done\nexec cat >/dev/null\n",
        folder.display()
    );
    fs::write(folder.join("s.sh"), code).unwrap();
    fs::set_permissions(folder.join("s.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("wait"), "").unwrap();
    fs::write(
        folder.join("plugin.yaml"),
        "{id: slow, name: S, version: 1.0.0, entry: {runtime: script, main: s.sh}, actions: [a]}",
    )
    .unwrap();
    folder.display().to_string()
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
    for asked in [&["load", "p"][..], &["unload", "p"], &["bus", "stats"], &["status"]] {
        let (code, error) = place.error(asked);
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
    place.json(&["uninstall", "top"]);
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

fn settings(place: &Place, more: Value) -> String {
    let mut settings = json!({ "folders": [place.path("plugins"), place.path("vanished")] });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let file = place.path("midplane.json");
    fs::write(&file, settings.to_string()).unwrap();
    file.display().to_string()
}

#[test]
fn auto_start_goes_by_priority_and_what_comes_later_is_loaded_too() {
    let place = Place::new();
    for id in ["a", "b", "c", "off"] {
        place.plugin(id, &[], "");
    }
    place.plugin("bad", &[], "throw new Error('no');");
    let settings = settings(
        &place,
        json!({
            "load": { "auto": true }, "scan": { "interval": "1h" },
            "plugins": {
                "b": { "auto_start": true, "priority": 9 }, "c": { "priority": 5 }, "off": { "enabled": false, "auto_start": true },
            },
        }),
    );
    let mut host = place.host(&["--settings", &settings]);
    let order = ["b begins", "c begins", "a begins"].map(|part| host.position(part));
    assert!(order.is_sorted(), "{:#?}", host.heard);
    assert!(host.heard.iter().any(|line| line.contains("vanished")), "{:#?}", host.heard);
    host.position("cannot be loaded: bad");
    assert!(!host.heard.iter().any(|line| line.contains("understood, and nothing")), "{:#?}", host.heard);
    place.plugin("later", &[], "");
    host.hears("later begins");
    let (code, error) = place.error(&["load", "off"]);
    assert_eq!((code, error["message"].as_str().unwrap().contains("settings disable")), (7, true), "{error}");
}

#[test]
fn the_folders_of_settings_are_looked_into_where_no_others_are_named() {
    let place = Place::new();
    place.plugin("a", &[], "");
    let file = settings(&place, json!({}));
    let ids = |list: &Value| -> Vec<String> {
        list["plugins"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let list = place.json(&["list", "--settings", &file]);
    assert_eq!(
        (ids(&list), list["unusable"][0]["path"].clone()),
        (vec!["a".to_owned()], json!(place.path("vanished")))
    );
    let routes = place.json(&["routes", "--settings", &file]);
    assert_eq!(routes["routes"][0]["to"]["plugin"], "a");
    assert_eq!(place.json(&["resolve", "a", "--settings", &file])["steps"][0]["id"], "a");
    assert_eq!(place.json(&["catalog", "rescan", "--settings", &file])["valid"], 1);
    let other = tempfile::tempdir().unwrap();
    let named = other.path().display().to_string();
    assert!(ids(&place.json(&["list", "--settings", &file, "--plugins", &named])).is_empty());
    assert_eq!(place.error(&["list"]).0, 2);
}
