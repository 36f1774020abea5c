//! What can be asked, and what is answered.

use std::io::Write;

use midplane_contract::{Code, Hook, State};
use midplane_kernel::catalog::InstallStatus;
use midplane_node::door::CONNECTIONS;
use midplane_node::{Line, Method, ask};
use midplane_testkit::{Gate, PluginFolder, Program, eventually};
use serde_json::json;

use crate::house::{House, Visitor, code, name, one};

#[test]
fn plugins_are_installed_loaded_stopped_and_taken_away_from_outside() {
    let house = House::new();
    let path = house.write(&PluginFolder::fake("base", "probe\n1"));
    let done = house.ask(Method::Install, json!({ "path": path })).unwrap();
    assert_eq!((&done["id"], &done["state"], &done["version"]), (&json!("base"), &json!("running"), &json!("1.0.0")));
    let needs = json!([{ "id": "base" }]);
    let path = house.write(&PluginFolder::fake("top", "probe\n1").with("dependencies", needs));
    house.ask(Method::Install, json!({ "path": path })).unwrap();
    for (method, state) in [
        (Method::Stop, "stopped"),
        (Method::Start, "running"),
        (Method::Restart, "running"),
        (Method::Reload, "running"),
        (Method::Disable, "stopped"),
        (Method::Enable, "running"),
    ] {
        assert_eq!(house.ask(method, one("top")).unwrap()["state"], state, "{method:?}");
    }
    let refused = house.ask(Method::Unload, one("base")).unwrap_err();
    assert_eq!((refused.code(), &refused.record().data["dependents"]), (Code::HasDependents, &json!(["top"])));
    let done = house.ask(Method::Unload, json!({ "id": "base", "cascade": true })).unwrap();
    assert_eq!(done["unloaded"], json!(["top", "base"]));
    // By a path as well as by the id.
    let done = house.ask(Method::Load, json!({ "id": path })).unwrap();
    assert_eq!((&done["id"], &done["state"]), (&json!("top"), &json!("running")));
    let shown = house.ask(Method::Status, json!({ "id": path.join("plugin.json") })).unwrap();
    assert_eq!(shown["plugins"][0]["id"], "top");
    assert_eq!(house.ask(Method::Stop, one("/nowhere")).unwrap_err().code(), Code::PluginNotFound);
    assert_eq!(house.kernel.status(&name("base")).unwrap().state, State::Running);
    assert_eq!(house.ask(Method::Uninstall, one("base")).unwrap_err().code(), Code::HasDependents);
    house.ask(Method::Uninstall, one("top")).unwrap();
    house.ask(Method::Uninstall, one("base")).unwrap();
    assert!(house.kernel.statuses().is_empty());
}

#[test]
fn permissions_are_granted_shown_and_taken_back_from_outside() {
    let house = House::new();
    let asks = json!(["state.read", "state.write"]);
    let path = house.write(&PluginFolder::fake("p", "probe\n1").with("permissions", asks));
    let done = house.ask(Method::Install, json!({ "path": path, "grant": ["state.read", "file.read"] })).unwrap();
    assert_eq!((&done["not_granted"], &done["unasked"]), (&json!(["state.write"]), &json!(["file.read"])));
    let read = json!({ "function": "state.list", "args": {}, "payload": "" }).to_string();
    let reads = || midplane_kernel::block_on(house.kernel.call("p/host", read.clone())).is_ok();
    assert!(reads());
    let done = house.ask(Method::Grant, json!({ "id": "p", "permissions": ["state.read", "!state.*"] })).unwrap();
    assert_eq!((&done["added"], done["granted"].as_array().unwrap().len()), (&json!(["!state.*"]), 3));
    assert_eq!(done["asked"][0], json!({ "permission": "state.read", "standing": "denied" }));
    assert!(!reads());
    house.ask(Method::Revoke, json!({ "id": "p", "permissions": ["!state.*"] })).unwrap();
    assert!(reads());
    let shown = house.ask(Method::Grants, json!({})).unwrap();
    assert_eq!((&shown["plugins"][0]["id"], &shown["plugins"][0]["registered"]), (&json!("p"), &json!(true)));
    let done = house.ask(Method::Revoke, json!({ "id": "p", "all": true })).unwrap();
    assert_eq!((&done["removed"], &done["granted"]), (&json!(["file.read", "state.read"]), &json!([])));
    assert!(!reads());
    for (method, params, code) in [
        (Method::Grant, json!({ "id": "p", "permissions": [] }), Code::InvalidInput),
        (Method::Grant, json!({ "id": "p", "permissions": ["state.read", "state"] }), Code::InvalidInput),
        (Method::Grant, json!({ "id": "q", "permissions": ["state.read"] }), Code::PluginNotFound),
        (Method::Revoke, json!({ "id": "p" }), Code::InvalidInput),
        (Method::Revoke, json!({ "id": "p", "permissions": ["a.b"], "all": true }), Code::InvalidInput),
        (Method::Revoke, json!({ "id": "p", "permissions": ["state.read"] }), Code::KeyNotFound),
        (Method::Grants, one("q"), Code::PluginNotFound),
    ] {
        let error = house.ask(method, params.clone()).unwrap_err();
        assert_eq!((error.code(), error.record().remedy.is_some()), (code, true), "{params} {error:?}");
    }
    assert!(house.kernel.grants(&name("p")).unwrap().is_empty());
}

#[test]
fn the_host_its_bus_and_its_routes_are_shown() {
    let house = House::new();
    let path = house.write(&PluginFolder::fake("p", "probe\n1").with("actions", json!(["echo"])));
    house.ask(Method::Install, json!({ "path": path })).unwrap();
    let status = house.ask(Method::Status, json!({})).unwrap();
    assert_eq!((&status["plugins"][0]["id"], &status["host"]["pid"]), (&json!("p"), &json!(std::process::id())));
    assert_eq!(house.ask(Method::Status, one("q")).unwrap_err().code(), Code::PluginNotFound);
    let routes = house.ask(Method::Routes, json!(null)).unwrap();
    assert_eq!(routes["routes"][0]["to"]["plugin"], "p");
    let _subscription = house.kernel.bus().subscribe("x.*").unwrap();
    house.kernel.bus().publish("x.y", json!(1)).unwrap();
    let stats = house.ask(Method::BusReset, json!({})).unwrap();
    assert_eq!(
        (&stats["published_by_type"]["x.y"], &stats["total_subscribers"]),
        (&json!(1), &json!(stats["subscribers"].as_array().unwrap().len()))
    );
    assert_eq!(house.ask(Method::BusStats, json!({})).unwrap()["total_published"], 0);
    let error = house.ask(Method::CatalogRescan, json!({})).unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    house.kernel.catalog().scan(&[path.parent().unwrap().to_path_buf()]);
    assert_eq!(house.ask(Method::CatalogRescan, json!({})).unwrap()["valid"], 1);
}

#[test]
fn what_is_asked_wrongly_is_told_and_the_next_is_answered() {
    let house = House::new();
    let mut visitor = house.visitor();
    for (line, expected) in [
        ("nonsense\n", "invalid_input"),
        ("{\"method\": 1}\n", "invalid_input"),
        ("[]\n", "invalid_input"),
        ("{\"method\": \"status\", \"more\": 1}\n", "invalid_input"),
        ("\u{0}\u{1}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"explode\"}\n", "not_supported"),
        ("{\"id\": 7, \"method\": \"load\"}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"load\", \"params\": {\"id\": \"NO\"}}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"load\", \"params\": {\"id\": \"a\", \"b\": 1}}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"load\", \"params\": [1]}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"install\", \"params\": {\"path\": \"here\"}}\n", "invalid_input"),
        ("{\"id\": 7, \"method\": \"load\", \"params\": {\"id\": \"a\"}}\n", "plugin_not_found"),
    ] {
        assert_eq!(code(&visitor.says(line).unwrap()), expected, "{line}");
    }
    let answer = visitor.says("\n  \n{\"id\": \"a\", \"method\": \"status\"}\n").unwrap();
    assert_eq!((&answer["id"], answer.get("error")), (&json!("a"), None));
    // Two in one go, in their order.
    let both = "{\"id\": 1, \"method\": \"status\"}\n{\"id\": 2, \"method\": \"routes\"}\n";
    assert_eq!(
        (visitor.says(both).unwrap()["id"].clone(), visitor.hears().unwrap()["id"].clone()),
        (json!(1), json!(2))
    );
}

#[test]
fn whoever_ends_their_side_is_still_answered() {
    let house = House::new();
    let mut visitor = house.visitor();
    visitor.0.get_mut().write_all(b"{\"id\": 1, \"method\": \"status\"}").unwrap();
    visitor.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(visitor.hears().unwrap()["id"], 1);
    assert_eq!(visitor.hears(), None);
}

#[test]
fn an_installation_is_undone_when_whoever_asked_for_it_has_gone() {
    let gate = Gate::new();
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
    let path = house.write(&PluginFolder::fake("p", "slow"));
    let mut visitor = house.visitor();
    let line = json!({ "id": 1, "method": "install", "params": { "path": path } });
    visitor.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    assert!(gate.wait_for(1));
    let events = house.kernel.bus().subscribe("plugin.*").unwrap();
    // Others are not held up by it.
    let enters = |visitor: &mut Visitor| {
        visitor.says("{\"method\": \"routes\"}\n").is_some_and(|answer| answer.get("result").is_some())
    };
    let mut others: Vec<Visitor> = (1..CONNECTIONS).map(|_| house.visitor()).collect();
    assert!(others.iter_mut().all(enters));
    assert!(!enters(&mut house.visitor()), "all places are taken");
    drop(visitor);
    assert!(eventually(|| enters(&mut house.visitor())), "its place is free");
    gate.open();
    let record = || house.kernel.catalog().installed_as(&name("p")).unwrap().unwrap();
    assert!(eventually(|| record().status == InstallStatus::Failed), "{:?}", record());
    assert!(!house.kernel.exists(&name("p")));
    assert!(std::iter::from_fn(|| events.try_next()).all(|event| event.topic() != "plugin.installed"));
}

#[test]
fn without_a_host_there_is_nobody_to_ask() {
    let mut house = House::new();
    let mut line = Line::to(&house.data()).unwrap().unwrap();
    line.ask(Method::Status, json!({})).unwrap();
    house.shut();
    assert_eq!(line.ask(Method::Status, json!({})).unwrap_err().code(), Code::PeerGone);
    assert!(ask(&house.data(), Method::Status, json!({})).unwrap().is_none());
    assert!(ask(&house.data().join("nowhere"), Method::Status, json!({})).unwrap().is_none());
}
