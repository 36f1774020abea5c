//! What is done to plugins of a host that runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Place, settings};
use crate::midplane::{Done, command};
use crate::plugins;

#[test]
fn the_routes_of_a_host_that_runs_follow_who_comes_and_goes() {
    let place = Place::new();
    let host = place.host(&[]);
    let data = place.path("data").display().to_string();
    for id in ["one", "two"] {
        place.json(&["install", &place.plugin(id, &[], "")]);
    }
    let routes = || place.run(&["routes", "--data", &data]).text();
    assert_eq!(routes(), "action  who  one  0\naction  who  two  0  (after one)\n");
    place.json(&["stop", "one"]);
    assert_eq!(routes(), "action  who  two  0\naction  who  one  0  (after two)\n");
    let shown = place.json(&["routes", "--data", &data]);
    assert_eq!((&shown["routes"][0]["to"]["plugin"], &shown["routes"][1]["live"]), (&json!("two"), &json!(false)));
    assert_eq!(place.run(&["routes", "--data", &data, "--plugins", &data]).code, 2);
    host.ends(Signal::TERM);
    assert_eq!(place.error(&["routes", "--data", &data]).1["code"], "peer_gone");
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
            "not_granted": [], "unasked": [],
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
    // Named by where it lies, from whatever folder.
    let shown = command(["status", "plugins/top", "--output", "json"])
        .current_dir(place.path(""))
        .env("MIDPLANE_DATA", place.path("data"))
        .output();
    assert_eq!(Done::of(shown.unwrap()).json()["plugins"][0]["id"], "top");
    assert_eq!(place.json(&["stop", &top])["id"], "top");
    place.json(&["start", &top]);
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
fn a_plugin_is_stopped_started_restarted_reloaded_and_disabled_while_its_host_runs() {
    let place = Place::new();
    let mut host = place.host(&[]);
    let path = place.plugin("p", &[], "");
    place.json(&["install", &path]);
    for (command, state, disabled) in [
        ("stop", "stopped", false),
        ("start", "running", false),
        ("restart", "running", false),
        ("reload", "running", false),
        ("disable", "stopped", true),
        ("enable", "running", false),
    ] {
        let done = place.json(&[command, "p"]);
        let expected = json!({
            "id": "p", "version": "1.0.0", "state": state, "disabled": disabled, "path": path, "host": true,
        });
        assert_eq!(done, expected, "{command}");
        assert_eq!(place.error(&[command, "nobody"]).0, 4, "{command}");
    }
    assert_eq!(place.run(&["stop", "p"]).text(), "p 1.0.0 is stopped\n");
    assert_eq!(place.error(&["stop", "p"]).0, 7);
    let code = "export default { onStart() { console.log('another begins'); }, actions: { who() { return 2; } } };";
    fs::write(place.path("plugins/p/plugin.js"), code).unwrap();
    assert_eq!(place.run(&["reload", "p"]).text(), "p 1.0.0 is running\n");
    host.hears("another begins");
    // What cannot be started leaves what runs.
    place.plugin("p", &[], "throw new Error('not today');");
    assert_eq!(place.error(&["reload", "p"]).0, 1);
    assert_eq!(place.json(&["status", "p"])["plugins"][0]["state"], "running");
    place.json(&["unload", "p"]);
    assert_eq!(place.error(&["start", "p"]).1["code"], "not_loaded");
    assert_eq!(place.error(&["load", "p"]).0, 1);
    assert_eq!(place.json(&["status", "p"])["plugins"][0]["state"], "failed");
    place.plugin("p", &[], "");
    assert_eq!(place.json(&["restart", "p"])["state"], "running");
    assert_eq!(place.run(&["disable", "p"]).text(), "p 1.0.0 is stopped, and disabled\n");
    for command in ["start", "restart", "reload"] {
        let (code, error) = place.error(&[command, "p"]);
        assert_eq!((code, error["message"].as_str().unwrap().contains("disabled")), (7, true), "{command} {error}");
    }
    // It stays so in the next host, until it is enabled.
    assert_eq!(host.ends(Signal::INT), 130);
    let host = place.host(&[]);
    assert!(!host.heard.iter().any(|line| line.contains("p begins")), "{:?}", host.heard);
    assert_eq!(place.run(&["enable", "p"]).text(), "p 1.0.0 is registered\n");
    place.json(&["load", "p"]);
}

#[test]
fn code_that_hangs_while_it_is_opened_is_answered_for_and_the_host_goes_on() {
    let place = Place::new();
    let inside = json!({ "trust": "trusted", "placement": "in-process" });
    let settings = settings(&place, json!({ "load": { "timeout": "1s" }, "plugins": { "constructor": inside } }));
    place.plugin("endless", &[], "");
    fs::write(place.path("plugins/endless/plugin.js"), "for (;;);").unwrap();
    // While this one hangs the system's loader is locked.
    let folder = place.path("plugins/constructor");
    fs::create_dir(&folder).unwrap();
    let manifest = "{id: constructor, name: C, version: 1.0.0, entry: {runtime: native, main: c.so}, actions: [a]}";
    fs::write(folder.join("plugin.yaml"), manifest).unwrap();
    let code = "#include <unistd.h>\nint midplane_plugin;\n__attribute__((constructor)) static void hang(void) { for (;;) sleep(1); }\n";
    fs::write(folder.join("c.c"), code).unwrap();
    plugins::compile(&folder.join("c.c"), &folder.join("c.so"));
    let _host = place.host(&["--settings", &settings]);
    for id in ["endless", "constructor"] {
        let (code, error) = place.error(&["load", id]);
        assert_eq!((code, &error["code"]), (6, &json!("deadline_exceeded")), "{error}");
        let status = place.json(&["status", id]);
        assert_eq!(
            (&status["plugins"][0]["state"], &status["plugins"][0]["cause"]["code"]),
            (&json!("failed"), &json!("deadline_exceeded"))
        );
        if id == "endless" {
            assert_eq!(place.json(&["install", &place.plugin("fine", &[], "")])["state"], "running");
        }
    }
}
