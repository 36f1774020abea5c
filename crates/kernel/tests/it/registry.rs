//! What is registered: by which names, in which states, and what is known of it.

use midplane_contract::{Code, PluginInfo, State};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::{PluginFolder, probe};
use serde_json::json;

use crate::house::{House, name};

#[test]
fn a_plugin_is_addressed_by_its_id_or_any_of_its_paths() {
    let house = House::new();
    let path = house.write(&PluginFolder::fake("p", "probe\n1"));
    block_on(house.kernel.load_path(&path)).unwrap();
    house.probe("other");
    let manifest = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let inside: Vec<_> = manifest.collect();
    assert!(inside.len() >= 2, "{inside:?}");
    let link = path.parent().unwrap().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let detour = path.join("../link");
    for named in [&path, &link, &detour].into_iter().chain(&inside) {
        assert_eq!(house.kernel.id_of(named).unwrap(), name("p"), "{}", named.display());
    }
    assert_eq!(house.kernel.id_of("p").unwrap(), name("p"));
    let id = house.kernel.id_of(&path).unwrap();
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(house.state(&name("p")), State::Stopped);
    for unknown in ["q", "./q", "", "/", "no id/at all"] {
        let error = house.kernel.id_of(unknown).unwrap_err();
        assert_eq!(error.code(), Code::PluginNotFound);
        assert!(error.record().remedy.as_ref().unwrap().contains("other, p"), "{error:?}");
    }
}

#[test]
fn states_are_asked_and_set_and_only_legal_changes_are_made() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    let set = |state| block_on(house.kernel.set_state(&id, state));
    for state in [
        State::Registered,
        State::Loaded,
        State::Running,
        State::Running,
        State::Stopped,
        State::Running,
        State::Registered,
        State::Running,
    ] {
        set(state).unwrap();
        assert_eq!(house.state(&id), state);
    }
    let refused = |state, code| {
        let before = house.state(&id);
        assert_eq!(set(state).unwrap_err().code(), code, "{state}");
        assert_eq!(house.state(&id), before);
    };
    refused(State::Loaded, Code::AlreadyLoaded);
    for state in State::ALL {
        if !matches!(state, State::Registered | State::Loaded | State::Running | State::Stopped) {
            refused(state, Code::InvalidInput);
        }
    }
    set(State::Registered).unwrap();
    refused(State::Stopped, Code::NotLoaded);
    let nobody = block_on(house.kernel.set_state(&name("q"), State::Running)).unwrap_err();
    assert_eq!(nobody.code(), Code::PluginNotFound);
}

#[test]
fn a_state_is_shown_with_the_words_of_the_documents_beside_it() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    let shown = || {
        let status = serde_json::to_value(house.kernel.status(&id).unwrap()).unwrap();
        format!("{} {}", status["state"].as_str().unwrap(), status["known_as"].as_str().unwrap())
    };
    assert_eq!(shown(), "registered Unloaded");
    block_on(house.kernel.load_stopped(&id)).unwrap();
    assert_eq!(shown(), "loaded Loaded");
    block_on(house.kernel.start(&id)).unwrap();
    assert_eq!(shown(), "running Running/Active");
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(shown(), "stopped Stopped");
    let broken = house.register(&PluginFolder::fake("broken", "no-such-program"));
    block_on(house.kernel.load(&broken)).unwrap_err();
    let status = house.kernel.status(&broken).unwrap();
    assert_eq!((status.state, status.known_as, status.cause.is_some()), (State::Failed, "Error", true));
}

#[test]
fn a_record_has_everything_that_is_counted() {
    let house = House::new();
    let id = house.probe("p");
    let record = |record: midplane_kernel::Record| serde_json::to_value(record).unwrap();
    let fresh = record(house.kernel.record(&id).unwrap());
    for key in [
        "path",
        "registered_at",
        "last_loaded_at",
        "load_count",
        "load_time_ms",
        "access_count",
        "dependencies",
        "dependents",
        "metadata",
    ] {
        assert!(!fresh[key].is_null(), "{key}: {fresh}");
    }
    assert_eq!(fresh["access_count"], 0);
    house.call("p/echo", "x").unwrap();
    let called = record(house.kernel.record(&id).unwrap());
    assert_eq!((&called["access_count"], called["last_access"].is_string()), (&json!(1), true), "{called}");
}

#[test]
fn who_can_do_something_is_found_by_the_capability() {
    let info = PluginInfo { capabilities: vec!["seek".to_owned(), "play".to_owned()], ..PluginInfo::default() };
    let house = House::with(&[("coded", probe().info(info))]);
    house.load(&PluginFolder::fake("a", "probe\n1").with("capabilities", json!(["play"])));
    house.load(&PluginFolder::fake("b", "coded\n1").with("capabilities", json!(["play"])));
    house.kernel.set_policy(&name("b"), Policy { priority: 90, ..Policy::default() });
    assert_eq!(house.kernel.capable("play"), [name("b"), name("a")]);
    assert_eq!(house.kernel.capable("seek"), [name("b")]);
    block_on(house.kernel.stop(&name("b"))).unwrap();
    assert_eq!(house.kernel.capable("play"), [name("a")]);
    assert!(house.kernel.capable("seek").is_empty());
}
