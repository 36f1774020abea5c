//! Who gets a file, and who answers an action that is called by its name alone.

use std::path::Path;

use midplane_contract::{Code, Error};
use midplane_kernel::routes::{Row, Rule, What};
use midplane_kernel::{CallOptions, Policy, block_on};
use midplane_testkit::{PluginFolder, Program};
use serde_json::{Value, json};

use crate::house::{House, name};

/// Says who it is, whatever it is called for.
fn house() -> House {
    let who = |program: Program, action: &str| {
        program.action(action, |desk, _, reply| reply.write(desk.context().plugin.as_str().as_bytes()))
    };
    let images = ["image.resize", "image.turn", "show"].into_iter().fold(Program::new(), who);
    House::with(&[("images", images), ("viewer", who(Program::new(), "show"))])
}

fn rule(rule: Value) -> Rule {
    serde_json::from_value(rule).unwrap()
}

fn dispatch(house: &House, action: &str) -> Result<String, Error> {
    let answer = block_on(house.kernel.dispatch(action, "", CallOptions::default()));
    answer.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn prefer(house: &House, id: &str, priority: i32) {
    house.kernel.set_policy(&name(id), Policy { priority, ..Policy::default() });
}

#[test]
fn an_action_is_answered_by_whoever_offers_it_and_nobody_is_an_error_at_once() {
    let house = house();
    assert_eq!(dispatch(&house, "show").unwrap_err().code(), Code::ActionNotFound);
    house.load(&PluginFolder::fake("a", "images"));
    house.load(&PluginFolder::fake("b", "viewer"));
    assert_eq!(dispatch(&house, "show").unwrap(), "a");
    prefer(&house, "b", 1);
    assert_eq!(dispatch(&house, "show").unwrap(), "b");
    // The next one takes over, and gives way again.
    block_on(house.kernel.unload(&name("b"))).unwrap();
    assert_eq!(dispatch(&house, "show").unwrap(), "a");
    block_on(house.kernel.load(&name("b"))).unwrap();
    assert_eq!(dispatch(&house, "show").unwrap(), "b");
    block_on(house.kernel.disable(&name("b"))).unwrap();
    assert_eq!(dispatch(&house, "show").unwrap(), "a");
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "a");
    assert_eq!(dispatch(&house, "image.crop").unwrap_err().code(), Code::ActionNotFound);
    assert_eq!(dispatch(&house, "no action").unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn rules_send_names_prefixes_and_patterns_to_plugins_and_services() {
    let house = house();
    house.load(&PluginFolder::fake("a", "images").with("interfaces", json!({ "provides": ["pictures"] })));
    house.load(&PluginFolder::fake("b", "images"));
    prefer(&house, "a", 1);
    let to = |action: &str| json!({ "plugin": "b", "action": action });
    let set = |name: &str, value: Value| house.kernel.set_route(name, rule(value)).unwrap();
    set("turns", json!({ "match": { "action": "*.turn" }, "to": to("show"), "priority": 1 }));
    set("images", json!({ "match": { "action": "image.*" }, "to": { "service": "pictures" }, "priority": 2 }));
    set("thumb", json!({ "match": { "action": "thumb" }, "to": { "service": "pictures", "action": "show" } }));
    assert_eq!(dispatch(&house, "thumb").unwrap(), "a");
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "a");
    set("images", json!({ "match": { "action": "image.*" }, "to": { "plugin": "b" }, "priority": 2 }));
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "b");
    assert!(house.kernel.remove_route("images"));
    assert!(!house.kernel.remove_route("images"));
    // Of equal priority, the exact name wins over the pattern.
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "a");
    let bad = house.kernel.set_route("bad", rule(json!({ "match": { "action": "" }, "to": to("show") }))).unwrap_err();
    assert_eq!(bad.code(), Code::InvalidInput);
}

#[test]
fn the_table_shows_who_is_shadowed_by_whom() {
    let house = house();
    house.load(&PluginFolder::fake("a", "viewer"));
    house.register(&PluginFolder::fake("b", "viewer").with("actions", json!(["show"])));
    let all = json!({ "match": { "action": "sh*" }, "to": { "plugin": "b" }, "priority": 9 });
    house.kernel.set_route("all", rule(all)).unwrap();
    let rows = || -> Vec<(String, bool, Option<String>)> {
        let shown = |row: Row| (row.to.to_string(), row.live, row.shadowed_by.map(|by| by.to_string()));
        house.kernel.route_table().into_iter().map(shown).collect()
    };
    let shadow = |by: &str| Some(by.to_owned());
    assert_eq!(
        rows(),
        [("a".into(), true, None), ("b".into(), false, None), ("b".into(), false, shadow("a"))],
        "the rule's plugin does not run"
    );
    block_on(house.kernel.load(&name("b"))).unwrap();
    assert_eq!(rows(), [("b".into(), true, None), ("a".into(), true, shadow("b")), ("b".into(), true, shadow("a"))]);
    assert_eq!(dispatch(&house, "show").unwrap(), "b");
}

#[test]
fn files_go_by_type_then_rule_and_to_those_that_run() {
    let house = house();
    let handles = |id: &str, priority: i32| {
        let types = json!([{ "extension": ".png", "mime_type": "image/png", "priority": priority }]);
        PluginFolder::fake(id, "viewer").with("actions", json!(["show"])).with("file_types", types)
    };
    for (id, priority) in [("low", 10), ("high", 20)] {
        house.register(&handles(id, priority));
    }
    let who = |file: &str, media: Option<&str>| -> Vec<String> {
        house.kernel.routes(Path::new(file), media).iter().map(|route| route.plugin.to_string()).collect()
    };
    assert_eq!(who("a.PNG", None), ["high", "low"]);
    assert_eq!(who("upload", Some("image/png")), ["high", "low"]);
    block_on(house.kernel.load(&name("low"))).unwrap();
    assert_eq!(who("a.png", None), ["low", "high"]);
    block_on(house.kernel.unload(&name("low"))).unwrap();
    house.load(&PluginFolder::fake("other", "images"));
    let set = |name: &str, what: Value| {
        let to = json!({ "plugin": "other", "action": "image.turn" });
        house.kernel.set_route(name, rule(json!({ "match": what, "to": to }))).unwrap();
    };
    set("named", json!({ "file": "Screen*.png" }));
    assert_eq!(who("screen-1.png", None), ["other", "high", "low"]);
    assert_eq!(who("a.png", None), ["high", "low"]);
    set("media", json!({ "media": "image/*" }));
    let routes = house.kernel.routes(Path::new("x.gif"), Some("image/gif"));
    assert_eq!((routes.len(), routes[0].action.as_deref()), (1, Some("image.turn")));
}

#[test]
fn an_update_that_offers_less_sends_calls_on_to_what_remains() {
    let house = house();
    let folder = PluginFolder::fake("a", "images");
    house.load(&folder);
    house.load(&PluginFolder::fake("b", "images"));
    prefer(&house, "a", 1);
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "a");
    house.write(&folder.code("viewer"));
    block_on(house.kernel.reload(&name("a"))).unwrap();
    assert_eq!(dispatch(&house, "image.turn").unwrap(), "b");
    assert_eq!(dispatch(&house, "show").unwrap(), "a");
    block_on(house.kernel.unload(&name("b"))).unwrap();
    assert_eq!(dispatch(&house, "image.turn").unwrap_err().code(), Code::ActionNotFound);
}

#[test]
fn of_equal_priority_the_most_exact_type_wins_and_a_rule_before_a_type() {
    let house = house();
    let handles = |id: &str, ending: &str, media: &str| {
        let types = json!([{ "extension": ending, "mime_type": media, "action": "show", "priority": 5 }]);
        house.load(&PluginFolder::fake(id, "viewer").with("file_types", types));
    };
    handles("a", ".gz", "application/*");
    handles("b", ".tar.gz", "Application/X-Tar");
    handles("z", ".png", "image/png");
    let who = |file: &str, media: Option<&str>| -> Vec<String> {
        house.kernel.routes(Path::new(file), media).iter().map(|route| route.plugin.to_string()).collect()
    };
    assert_eq!((who("x.TAR.gz", None), who("x.y.gz", None)), (vec!["b".into(), "a".into()], vec!["a".into()]));
    assert_eq!(who("x", Some("application/x-tar; charset=binary")), ["b", "a"]);
    assert!(who("gz", None).is_empty() && who(".gz", None).is_empty() && who("x.gz.", None).is_empty());
    let set = |name: &str, what: Value| {
        let to = json!({ "plugin": "b", "action": "show" });
        house.kernel.set_route(name, rule(json!({ "match": what, "to": to, "priority": 5 }))).unwrap();
    };
    set("all", json!({ "file": "*" }));
    assert_eq!(who("x.png", None), ["z", "b"]);
    set("pictures", json!({ "file": "*.PNG" }));
    assert_eq!(who("x.png", None), ["b", "z"]);
    set("media", json!({ "media": "IMAGE/*" }));
    assert_eq!(who("x", Some("Image/Gif")), ["b"]);
    // The table says the same.
    let shown = |row: &Row| (row.what.clone(), row.to.to_string(), row.shadowed_by.as_ref().map(ToString::to_string));
    let table: Vec<_> = house.kernel.route_table().iter().map(shown).collect();
    let files = ["*.tar.gz", "*.PNG", "*.png", "*.gz", "*"].map(|pattern| What::File(pattern.to_owned()));
    let shown: Vec<&What> = table.iter().map(|row| &row.0).filter(|what| matches!(what, What::File(_))).collect();
    assert_eq!(shown, files.iter().collect::<Vec<_>>());
    let shadowed = table.iter().find(|row| row.0 == files[2]).unwrap();
    assert_eq!((&*shadowed.1, shadowed.2.as_deref()), ("z/show", Some("b/show")));
}
