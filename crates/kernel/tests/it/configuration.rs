//! Configuration: accepted, refused, changed live.

use midplane_contract::{Code, RuntimeKind, State};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::PluginFolder;
use serde_json::{Map, Value, json};

use crate::house::{House, name};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "greeting": { "type": "string", "default": "hello" },
            "count": { "type": "integer", "minimum": 1 },
            "invalid": {}, "reject": {}
        }
    })
}

fn configured() -> PluginFolder {
    PluginFolder::fake("p", "probe\n1").with("config_schema", schema())
}

#[test]
fn a_plugin_gets_defaults_manifest_and_operator_s_values_in_this_order() {
    let house = House::new();
    let policy = Policy { config: object(json!({ "count": 3 })), ..Policy::default() };
    house.kernel.set_policy(&name("p"), policy);
    let id = house.load(&configured().with("config", json!({ "count": 2 })));
    let expected = json!({ "greeting": "hello", "count": 3 });
    assert_eq!(serde_json::from_str::<Value>(&house.call("p/config", "").unwrap()).unwrap(), expected);
    assert_eq!(block_on(house.kernel.config(&id)).unwrap(), expected);
    let asked = house.call("p/host", r#"{"function":"config.get","args":{"key":"count"}}"#);
    assert_eq!(asked.unwrap(), "3");
}

#[test]
fn a_bad_configuration_refuses_the_load() {
    let house = House::new();
    let id = house.register(&configured());
    for bad in [json!({ "count": 0 }), json!({ "count": "many", "greeting": 7 }), json!({ "invalid": true })] {
        house.kernel.set_policy(&id, Policy { config: object(bad), ..Policy::default() });
        assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::ConfigInvalid);
        assert_eq!(house.state(&id), State::Failed);
    }
    house.kernel.set_policy(&id, Policy::default());
    block_on(house.kernel.load(&id)).unwrap();
}

#[test]
fn a_live_change_reaches_every_instance() {
    let house = House::new();
    let pool = json!({ "mode": "pool", "min": 3, "max": 3 });
    let id = house.load(&configured().with("instances", pool));
    let events = house.kernel.bus().subscribe("plugin.config_changed").unwrap();
    block_on(house.kernel.update_config(&id, object(json!({ "greeting": "good day" })))).unwrap();
    for _ in 0..10 {
        let config: Value = serde_json::from_str(&house.call("p/config", "").unwrap()).unwrap();
        assert_eq!(config["greeting"], "good day");
    }
    assert!(events.try_next().is_some());
    // It outlives the generation.
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(block_on(house.kernel.config(&id)).unwrap()["greeting"], "good day");
}

#[test]
fn a_refused_change_leaves_the_old_configuration() {
    let house = House::new();
    let id = house.load(&configured());
    let before = block_on(house.kernel.config(&id)).unwrap();
    for bad in [json!({ "count": 0 }), json!({ "invalid": true }), json!({ "reject": true })] {
        let error = block_on(house.kernel.update_config(&id, object(bad))).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid, "{error:?}");
        assert_eq!(block_on(house.kernel.config(&id)).unwrap(), before);
        let asked: Value =
            serde_json::from_str(&house.call("p/host", r#"{"function":"config.get"}"#).unwrap()).unwrap();
        assert_eq!(asked, before);
        assert_eq!(house.state(&id), State::Running);
    }
}

#[test]
fn a_configuration_can_be_changed_while_the_plugin_is_stopped() {
    let house = House::new();
    let id = house.load(&configured());
    block_on(house.kernel.stop(&id)).unwrap();
    block_on(house.kernel.update_config(&id, object(json!({ "count": 9 })))).unwrap();
    assert_eq!(house.call("p/echo", "").unwrap_err().code(), Code::NotRunning);
    block_on(house.kernel.start(&id)).unwrap();
    let config: Value = serde_json::from_str(&house.call("p/config", "").unwrap()).unwrap();
    assert_eq!(config["count"], 9);
    block_on(house.kernel.unload(&id)).unwrap();
    let unloaded = block_on(house.kernel.update_config(&id, Map::new()));
    assert_eq!(unloaded.unwrap_err().code(), Code::NotLoaded);
}

#[test]
fn a_plugin_that_is_of_another_kind_than_the_operator_takes_it_for_is_not_loaded() {
    let house = House::new();
    let id = house.register(&configured());
    let kind = house.kernel.status(&id).unwrap().manifest.entry.runtime;
    let other = if kind == RuntimeKind::Wasm { RuntimeKind::Js } else { RuntimeKind::Wasm };
    let policy = |runtime| Policy { runtime: Some(runtime), ..Policy::default() };
    house.kernel.set_policy(&id, policy(other));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(
        error.record().message.contains(other.as_str()) && error.record().message.contains(kind.as_str()),
        "{error}"
    );
    let manifest = house.kernel.status(&id).unwrap().manifest;
    assert_eq!(house.kernel.refusals(&manifest, &policy(other)).len(), 1);
    house.kernel.set_policy(&id, policy(kind));
    block_on(house.kernel.load(&id)).unwrap();
}
