//! The plugins in the folders of settings.

use serde_json::{Value, json};

use super::{Place, settings};

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

#[test]
fn what_is_loaded_unasked_and_looked_for_follows_the_settings_while_the_host_runs() {
    let place = Place::new();
    for id in ["a", "b"] {
        place.plugin(id, &[], "");
    }
    let quiet = json!({ "scan": { "auto": false } });
    let file = settings(&place, quiet);
    let mut host = place.host(&["-v", "--settings", &file]);
    settings(&place, json!({ "scan": { "auto": false }, "plugins": { "b": { "auto_start": true } } }));
    host.hears("b begins");
    place.plugin("later", &[], "");
    settings(&place, json!({ "load": { "auto": true }, "scan": { "interval": "1h" } }));
    host.hears("a begins");
    host.hears("later begins");
    // What was loaded by them runs on without them.
    host.heard.clear();
    settings(&place, json!({ "load": { "auto": false }, "scan": { "interval": "2h" } }));
    host.hears("looked into as the changed settings say");
    place.plugin("unwanted", &[], "");
    super::until("it is registered", || place.run(&["status", "unwanted"]).code == 0);
    let states: Vec<Value> =
        place.json(&["status"])["plugins"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(json!(states), json!(["running", "running", "running", "registered"]));
}
