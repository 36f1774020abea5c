//! What the kernel tells about its plugins.

use midplane_contract::State;
use midplane_kernel::{Subscription, block_on};
use midplane_testkit::{PluginFolder, eventually};
use serde_json::json;

use crate::house::House;

fn types(events: &Subscription) -> Vec<String> {
    std::iter::from_fn(|| events.try_next()).map(|event| event.topic().to_owned()).collect()
}

#[test]
fn a_life_is_told_in_order() {
    let house = House::new();
    let events = house.kernel.bus().subscribe("plugin.*").unwrap();
    let id = house.probe("p");
    block_on(house.kernel.reload(&id)).unwrap();
    block_on(house.kernel.update_config(&id, serde_json::Map::new())).unwrap();
    block_on(house.kernel.disable(&id)).unwrap();
    block_on(house.kernel.enable(&id)).unwrap();
    block_on(house.kernel.unload(&id)).unwrap();
    block_on(house.kernel.unregister(&id)).unwrap();
    let expected = [
        "registered",
        "loaded",
        "started",
        "updated",
        "config_changed",
        "disabled",
        "stopped",
        "enabled",
        "started",
        "stopped",
        "unloaded",
        "unregistered",
    ];
    assert_eq!(types(&events), expected.map(|event| format!("plugin.{event}")));
}

#[test]
fn modules_are_another_word_for_plugins() {
    let house = House::new();
    let bus = house.kernel.bus();
    let (old, one) = (bus.subscribe("module.*").unwrap(), bus.subscribe("module.loaded").unwrap());
    house.probe("p");
    assert_eq!(types(&old), ["plugin.registered", "plugin.loaded", "plugin.started"]);
    let event = one.try_next().unwrap();
    assert_eq!(event.data()["module_id"], "p");
    assert_eq!(event.data()["plugin_id"], "p");
    assert_eq!(event.data()["generation"], 1);
    assert_eq!(event.data()["runtime"], "wasm/in-process");
    assert_eq!(event.sender(), "core");
    assert!(one.try_next().is_none());
}

#[test]
fn failures_crashes_and_refusals_are_told() {
    let house = House::new();
    let events = house.kernel.bus().subscribe("*").unwrap();
    let id = house.register(&PluginFolder::fake("p", "probe\n1").with("config", json!({ "fail_in": ["init"] })));
    block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(types(&events), ["plugin.registered", "plugin.failed"]);
    let crashing = house.probe("crashing");
    house.call("crashing/abort", "").unwrap_err();
    house.wait_for(&crashing, State::Failed);
    let told = types(&events);
    assert!(told.ends_with(&["plugin.crashed".to_owned(), "plugin.failed".to_owned()]), "{told:?}");
    house.load(&PluginFolder::fake("q", "probe\n1").with("permissions", json!(["plugin.call"])));
    let denied = house.kernel.bus().subscribe("plugin.permission_denied").unwrap();
    house.call("q/call", r#"{"address":"p/echo"}"#).unwrap_err();
    assert_eq!(denied.try_next().unwrap().data()["plugin_id"], "q");
}

#[test]
fn a_failed_reload_is_told_and_a_shutdown_begins_with_its_own_event() {
    let house = House::new();
    let id = house.probe("p");
    let events = house.kernel.bus().subscribe("*").unwrap();
    house.write(&PluginFolder::fake("p", "no-such-program"));
    block_on(house.kernel.reload(&id)).unwrap_err();
    let event = events.try_next().unwrap();
    assert_eq!(event.topic(), "plugin.update_failed");
    assert_eq!(event.data()["error"]["code"], "not_a_plugin");
    block_on(house.kernel.shutdown());
    assert_eq!(types(&events), ["host.stopping", "plugin.stopped", "plugin.unloaded"]);
}

#[test]
fn a_subscription_ends_with_the_kernel() {
    let house = House::new();
    let mut events = house.kernel.bus().subscribe("*").unwrap();
    drop(house);
    assert!(eventually(
        || block_on(futures_lite::future::poll_once(events.next())).is_some_and(|event| event.is_none())
    ));
}
