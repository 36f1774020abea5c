//! Interfaces, and who is called for them.

use midplane_contract::{Code, HealthStatus, Hook, HostFunction, Interface, VersionRange};
use midplane_kernel::{Choice, Policy, Service, block_on};
use midplane_testkit::{Gate, PluginFolder, Program};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::house::{House, Until, name, pool};

/// Answers who it is, and dies or lies when it is told to.
fn source() -> Program {
    Program::new()
        .action("who", |desk, _, reply| reply.write(desk.context().plugin.as_str().as_bytes()))
        .action("die", |desk, _, _| Err(desk.die()))
        .action("themes", |desk, _, reply| reply.write(desk.code().as_bytes()))
        .action("find", |desk, input, reply| {
            let (function, args): (String, Value) = serde_json::from_slice(input).unwrap();
            let function = HostFunction::from_name(&function).unwrap();
            reply.write(&desk.host(function, &args, b"")?)
        })
        .hook(Hook::Health, |desk, _| Ok(desk.code().as_bytes().to_vec()))
}

pub(crate) fn house() -> House {
    House::with(&[("source", source())])
}

/// A plugin that provides `provided`.
pub(crate) fn provider(id: &str, provided: &str) -> PluginFolder {
    PluginFolder::fake(id, "source").with("interfaces", json!({ "provides": [provided] }))
}

pub(crate) fn defined(house: &House, definition: Value) {
    block_on(house.kernel.define(serde_json::from_value::<Interface>(definition).unwrap())).unwrap();
}

fn range(text: &str) -> VersionRange {
    VersionRange::parse(text).unwrap()
}

pub(crate) fn service(house: &House, choice: Choice) -> Service {
    house.kernel.service("music", VersionRange::any(), choice)
}

pub(crate) fn who(service: &Service) -> String {
    String::from_utf8(block_on(service.call("who", "")).unwrap()).unwrap()
}

pub(crate) fn prefer(house: &House, id: &str, priority: i32) {
    house.kernel.set_policy(&name(id), Policy { priority, ..Policy::default() });
}

#[test]
fn nobody_is_an_error_at_once_and_a_handle_follows_who_comes_and_goes() {
    let house = house();
    let music = service(&house, Choice::RoundRobin);
    let nobody = block_on(music.call("who", "")).unwrap_err();
    assert_eq!((nobody.code(), &nobody.record().data["interface"]), (Code::PluginNotFound, &json!("music")));
    for id in ["a", "b"] {
        house.load(&provider(id, "music"));
        assert_eq!(who(&music), id);
        block_on(house.kernel.unload(&name(id))).unwrap();
    }
    assert_eq!(block_on(music.call("who", "")).unwrap_err().code(), Code::PluginNotFound);
    block_on(house.kernel.load(&name("a"))).unwrap();
    assert_eq!(who(&music), "a");
    block_on(house.kernel.stop(&name("a"))).unwrap();
    assert_eq!(block_on(music.call("who", "")).unwrap_err().code(), Code::PluginNotFound);
}

#[test]
fn equals_are_called_in_turn_and_the_highest_priority_first() {
    let house = house();
    for id in ["a", "b", "c"] {
        house.load(&provider(id, "music"));
    }
    let music = service(&house, Choice::RoundRobin);
    let mut called: Vec<String> = (0..6).map(|_| who(&music)).collect();
    called.sort();
    assert_eq!(called, ["a", "a", "b", "b", "c", "c"]);
    prefer(&house, "c", 90);
    prefer(&house, "b", 100);
    assert_eq!((who(&music), who(&music)), ("b".into(), "b".into()));
    block_on(house.kernel.unload(&name("b"))).unwrap();
    assert_eq!(who(&music), "c");
    let order: Vec<String> =
        house.kernel.providers("music", &VersionRange::any()).iter().map(|p| p.plugin.to_string()).collect();
    assert_eq!(order, ["c", "a"]);
}

#[test]
fn who_says_that_it_is_unhealthy_is_called_last() {
    let house = house();
    let sick = provider("sick", "music").code("source\n{\"status\":\"unhealthy\"}");
    for folder in [&sick, &provider("well", "music")] {
        house.load(folder);
    }
    prefer(&house, "sick", 5);
    let music = service(&house, Choice::RoundRobin);
    assert_eq!(who(&music), "sick");
    assert_eq!(block_on(house.kernel.health(&name("sick"))).unwrap().status, HealthStatus::Unhealthy);
    assert_eq!(who(&music), "well");
    // Begun anew it has said nothing yet.
    for reloaded in [false, true] {
        let id = name("sick");
        block_on(async { if reloaded { house.kernel.reload(&id).await } else { house.kernel.restart(&id).await } })
            .unwrap();
        assert_eq!(who(&music), "sick");
        block_on(house.kernel.health(&id)).unwrap();
        assert_eq!(who(&music), "well");
    }
    block_on(house.kernel.unload(&name("well"))).unwrap();
    assert_eq!(who(&music), "sick");
}

#[test]
fn a_range_takes_the_versions_that_fit() {
    let house = house();
    for (id, provided) in [("old", "music@1.4.0"), ("new", "music@2.1.0"), ("own", "music")] {
        house.load(&provider(id, provided));
    }
    let of = |text: &str| -> Vec<String> {
        house.kernel.providers("music", &range(text)).iter().map(|p| format!("{} {}", p.plugin, p.version)).collect()
    };
    // Without a version it is the plugin's own.
    assert_eq!(of("^1"), ["old 1.4.0", "own 1.0.0"]);
    assert_eq!(of(">=2"), ["new 2.1.0"]);
    assert!(of("^3").is_empty());
    let two = house.kernel.service("music", range("^2"), Choice::RoundRobin);
    assert_eq!(who(&two), "new");
}

#[test]
fn a_provider_that_lacks_an_action_is_refused_by_its_name_and_lives_on() {
    let house = house();
    house.load(&provider("early", "music"));
    let music = service(&house, Choice::RoundRobin);
    assert_eq!(who(&music), "early");
    let actions = json!([{ "name": "who" }, { "name": "get_song_url" }, { "name": "lyrics", "optional": true }]);
    defined(&house, json!({ "name": "music", "version": "1.2.0", "actions": actions }));
    house.load(&provider("late", "music"));
    assert_eq!(block_on(music.call("who", "")).unwrap_err().code(), Code::PluginNotFound);
    for refused in house.kernel.providers("music", &VersionRange::any()) {
        let error = refused.refused.unwrap();
        assert_eq!(error.code(), Code::ActionNotFound);
        assert_eq!(error.record().data["action"], "get_song_url");
        assert!(error.record().message.contains("`get_song_url`"), "{error}");
    }
    assert_eq!(house.call("late/who", "").unwrap(), "late");
    // A version of the interface that there is not is told with those that there are.
    house.load(&provider("future", "music@^2"));
    let future = house.kernel.providers("music", &VersionRange::any()).into_iter().find(|p| p.plugin == name("future"));
    assert_eq!(future.unwrap().refused.unwrap().code(), Code::VersionMismatch);
}

#[test]
fn a_provider_is_asked_before_it_is_offered_and_every_plugin_may_have_to_say_what_it_can() {
    let house = house();
    let output = json!({ "type": "array", "minItems": 1 });
    defined(
        &house,
        json!({ "name": "ui", "version": "1.0.0", "actions": [{ "name": "themes", "ask": null, "output": output }] }),
    );
    defined(
        &house,
        json!({ "name": "ui", "version": "1.1.0", "actions": [{ "name": "themes", "ask": {}, "output": output }] }),
    );
    house.load(&provider("plain", "ui").code("source\n[]"));
    house.load(&provider("dark", "ui").code("source\n[\"dark\"]"));
    let providers = house.kernel.providers("ui", &VersionRange::any());
    assert_eq!(providers[0].plugin, name("dark"));
    assert!(providers[0].refused.is_none());
    let refused = providers[1].refused.as_ref().unwrap();
    assert!(refused.record().message.contains("does not fit"), "{refused}");
    defined(&house, json!({ "name": "plugin", "version": "1.0.0", "capabilities": 1 }));
    assert!(house.kernel.providers("ui", &VersionRange::any()).iter().all(|provider| provider.refused.is_some()));
    house.load(&provider("able", "ui").code("source\n[\"light\"]").with("capabilities", json!(["themes"])));
    assert_eq!(house.kernel.providers("ui", &VersionRange::any())[0].plugin, name("able"));
}

#[test]
fn a_definition_that_comes_while_a_provider_is_asked_holds_for_it() {
    let (gate, first) = (Gate::default(), Arc::new(AtomicBool::new(true)));
    let (waits, of_first) = (gate.clone(), Arc::clone(&first));
    // Whoever asks first waits long for the answer.
    let slow = source().waiting("state", move |desk, _, reply| {
        if of_first.swap(false, Ordering::SeqCst) {
            desk.wait_at(&waits)?;
        }
        reply.write(b"{}")
    });
    let house = House::with(&[("slow", slow)]);
    let asks = json!([{ "name": "state", "ask": {}, "output": {} }]);
    defined(&house, json!({ "name": "player", "version": "1.0.0", "actions": asks }));
    let provides = json!({ "provides": ["music", "player"] });
    let id =
        house.register(&PluginFolder::fake("p", "slow").with("interfaces", provides).with("instances", pool(2, 2)));
    thread::scope(|scope| {
        let _until = Until(&gate);
        let loading = scope.spawn(|| block_on(house.kernel.load(&id)).unwrap());
        assert!(gate.wait_for(1));
        defined(&house, json!({ "name": "music", "version": "1.0.0", "actions": [{ "name": "get_song_url" }] }));
        gate.open();
        loading.join().unwrap();
    });
    let refused = house.kernel.providers("music", &VersionRange::any())[0].refused.clone();
    assert_eq!(refused.unwrap().code(), Code::ActionNotFound);
}

#[test]
fn definitions_that_contradict_themselves_are_refused() {
    let house = house();
    for (definition, part) in [
        (json!({ "name": "a b", "version": "1.0.0" }), "space"),
        (json!({ "name": "a", "version": "1.0.0", "actions": [{ "name": "x" }, { "name": "x" }] }), "twice"),
        (json!({ "name": "a", "version": "1.0.0", "actions": [{ "name": "x", "ask": 1 }] }), "good answer"),
        (json!({ "name": "a", "version": "1.0.0", "actions": [{ "name": "x", "output": { "type": 5 } }] }), "Schema"),
    ] {
        let error = block_on(house.kernel.define(serde_json::from_value(definition).unwrap())).unwrap_err();
        assert!(error.record().message.contains(part), "{error}");
    }
}

#[test]
fn plugins_find_and_call_providers_through_the_gate() {
    let house = house();
    house.load(&provider("a", "music@1.5.0"));
    let asks = json!(["service.find", "service.call"]);
    house.load(&PluginFolder::fake("user", "source").with("permissions", asks));
    let ask = |function: &str, args: Value| house.call("user/find", &json!([function, args]).to_string());
    let denied = ask("service.find", json!({ "interface": "music" })).unwrap_err();
    assert!(denied.record().message.contains("service.find:music"), "{denied:?}");
    let grants = ["service.find", "service.call:music"].map(|text| text.parse().unwrap()).to_vec();
    house.kernel.set_policy(&name("user"), Policy { grants, ..Policy::default() });
    let found = ask("service.find", json!({ "interface": "music", "range": "^1" })).unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found, json!([{ "plugin": "a", "version": "1.5.0", "priority": 0 }]));
    let call = |action: &str| ask("service.call", json!({ "interface": "music", "action": action }));
    assert_eq!(call("who").unwrap(), "a");
    assert!(ask("service.call", json!({ "interface": "lyrics", "action": "who" })).is_err());
}

#[test]
fn nobody_who_can_be_called_is_told_with_who_cannot_and_why() {
    let house = house();
    house.load(&provider("old", "music@1.4.0"));
    let message = |service: &Service| block_on(service.call("who", "")).unwrap_err().record().message.clone();
    let new = house.kernel.service("music", range("^2"), Choice::RoundRobin);
    assert_eq!(message(&new), "nobody provides `music` ^2 at the moment; `old` provides it in 1.4.0");
    let music = service(&house, Choice::RoundRobin);
    assert_eq!(who(&music), "old");
    // A definition that comes later, and one that takes its place, count at once.
    let define = |action: &str| {
        defined(&house, json!({ "name": "music", "version": "1.4.0", "actions": [{ "name": action }] }));
    };
    define("get_song_url");
    let refused = message(&music);
    assert!(refused.contains("`old` is refused") && refused.contains("`get_song_url`"), "{refused}");
    define("who");
    assert_eq!(who(&music), "old");
    prefer(&house, "old", -5);
    house.load(&provider("other", "music@1.4.0"));
    assert_eq!((who(&music), who(&music)), ("other".into(), "other".into()), "a negative priority is below none");
}
