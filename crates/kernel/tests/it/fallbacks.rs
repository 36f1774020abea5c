//! Plugins for other systems, loaded by what else they bring.

use std::fs;

use midplane_contract::{Code, PluginId};
use midplane_kernel::block_on;
use midplane_kernel::platform::{Adapter, AdapterRule, Format, Rules};
use midplane_testkit::{Fake, PluginFolder, probe};
use serde_json::json;

use crate::house::House;

/// A native library for another system, with what stands beside it.
fn foreign(house: &House, fallbacks: &[&str], beside: &[(&str, &str)]) -> PluginId {
    let compatibility = json!({ "platforms": ["plan9"], "fallbacks": fallbacks });
    let plugin = PluginFolder::new("p", "native", "p.so", "not for here").with("compatibility", compatibility);
    let path = house.write(&plugin);
    for (file, text) in beside {
        fs::write(path.join(file), text).unwrap();
    }
    block_on(house.kernel.register(path)).unwrap()
}

#[test]
fn code_beside_the_plugin_s_own_is_loaded_where_its_own_cannot_run() {
    let house = House::new();
    let id = foreign(&house, &["wasm"], &[("p.wasm", "probe\nportable")]);
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "portable");
    assert_eq!(house.kernel.status(&id).unwrap().generation.unwrap().runtime, "wasm/in-process");
}

#[test]
fn fallbacks_are_tried_in_turn_and_each_says_why_it_did_not_work() {
    let house = House::new();
    // Nothing here runs Python; what comes next does.
    let id = foreign(&house, &["script", "wasm"], &[("p.py", ""), ("p.wasm", "probe\n1")]);
    block_on(house.kernel.load(&id)).unwrap();
    let house = House::new();
    let id = foreign(&house, &["script", "wasm"], &[("p.py", ""), ("p.wasm", "no-such-program")]);
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!((error.code(), error.record().cause.len()), (Code::UnsupportedPlatform, 2), "{error:?}");
}

#[test]
fn a_fallback_without_code_and_one_that_is_not_permitted_refuse_the_load() {
    let house = House::new();
    let id = foreign(&house, &["wasm"], &[]);
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::UnsupportedPlatform);
    assert!(error.record().remedy.as_ref().unwrap().contains("wasm"));
    let rules = Rules { enable_fallback: false, ..Rules::default() };
    let house = House::over(Fake::new().program("probe", probe()), |builder| builder.compatibility(rules));
    let id = foreign(&house, &["wasm"], &[("p.wasm", "probe\n1")]);
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::UnsupportedPlatform);
}

#[test]
fn a_plugin_whose_own_code_fails_is_loaded_by_a_fallback_and_as_many_are_tried_as_are_permitted() {
    // Nothing here runs native code; the plugin says nothing about systems.
    let broken = |house: &House, beside: &[(&str, &str)]| {
        let compatibility = json!({ "fallbacks": ["wasm"] });
        let plugin = PluginFolder::new("p", "native", "p.so", "").with("compatibility", compatibility);
        let path = house.write(&plugin);
        beside.iter().for_each(|(file, text)| fs::write(path.join(file), text).unwrap());
        block_on(house.kernel.register(path)).unwrap()
    };
    let house = House::new();
    let id = broken(&house, &[("p.wasm", "probe\nportable")]);
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "portable");
    let house = House::new();
    let id = broken(&house, &[]);
    let alone = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!((alone.code(), alone.record().cause.len()), (Code::UnsupportedRuntime, 0), "{alone:?}");
    let three = || {
        ["script", "wasm", "process"].map(|name| Adapter {
            name: name.into(),
            systems: Vec::new(),
            formats: vec![Format::Wasm],
            native: false,
        })
    };
    let attempts = |most: usize| {
        let mut rules = Rules::default();
        rules.fallback_strategy.max_fallback_attempts = most;
        let house = House::over(Fake::new().program("probe", probe()), |builder| {
            three().into_iter().fold(builder.compatibility(rules), |builder, adapter| builder.adapter(adapter))
        });
        let id = foreign(&house, &["script", "wasm", "process"], &[("p.wasm", "no-such-program")]);
        let error = block_on(house.kernel.load(&id)).unwrap_err();
        // One that is tried alone says itself why.
        error.record().cause.len().max(1)
    };
    assert_eq!([1, 2, 3, 9].map(attempts), [1, 2, 3, 3]);
}

#[test]
fn what_a_plugin_says_of_machines_counts_in_strict_mode_also_where_it_needs_others() {
    let strict = Rules { strict_mode: true, ..Rules::default() };
    let house = House::over(Fake::new().program("probe", probe()), |builder| builder.compatibility(strict));
    let needing = |id: &str, needs: serde_json::Value| PluginFolder::fake(id, "probe\n1").with("dependencies", needs);
    let here = json!({ "platforms": ["*"] });
    house.load(&needing("base", json!([])).with("compatibility", here.clone()));
    house.load(&needing("top", json!([{ "id": "base" }])).with("compatibility", here.clone()));
    // Its own fault is told as its own.
    let silent = house.register(&needing("silent", json!([{ "id": "base" }])));
    let error = block_on(house.kernel.load(&silent)).unwrap_err();
    assert_eq!(error.record().message, "No compatibility information provided");
    let above = house.register(&needing("above", json!([{ "id": "silent" }])).with("compatibility", here));
    assert_eq!(block_on(house.kernel.load(&above)).unwrap_err().code(), Code::UnsupportedPlatform);
}

#[test]
fn an_embedder_adds_capabilities_and_adapters_and_turns_them_off() {
    let rules = || Rules {
        adapters: [("wasm".to_owned(), AdapterRule { enabled: false, ..AdapterRule::default() })].into(),
        ..Rules::default()
    };
    let fake = || Fake::new().program("probe", probe());
    let house = House::over(fake(), |builder| builder.compatibility(rules()));
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::UnsupportedPlatform);
    let own = Adapter { name: "ours".into(), systems: Vec::new(), formats: vec![Format::Wasm], native: false };
    let house = House::over(fake(), |builder| builder.compatibility(rules()).adapter(own).capability("teleport"));
    let needing = json!({ "capabilities": ["Teleport", "wasm"] });
    house.load(&PluginFolder::fake("p", "probe\n1").with("compatibility", needing));
    assert!(house.kernel.platform().machine.capabilities.contains(&"teleport".to_owned()));
}
