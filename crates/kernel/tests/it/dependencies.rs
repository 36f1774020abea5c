//! Plugins that need plugins.

use std::thread;

use midplane_contract::{Code, Hook, State};
use midplane_kernel::block_on;
use midplane_kernel::resolve::{Selection, Strategy};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, probe};
use serde_json::{Value, json};

use crate::house::{House, Until, name};

pub(crate) fn needing(id: &str, dependencies: Value) -> PluginFolder {
    PluginFolder::fake(id, "probe\n1").with("dependencies", dependencies)
}

pub(crate) fn on(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

#[test]
fn dependencies_are_loaded_first() {
    let house = House::new();
    let loaded = house.kernel.bus().subscribe("plugin.started").unwrap();
    for (id, needs) in [("d", &[][..]), ("c", &["d"]), ("b", &["d"]), ("a", &["b", "c"])] {
        house.register(&needing(id, on(needs)));
    }
    block_on(house.kernel.load(&name("a"))).unwrap();
    let mut order: Vec<_> =
        std::iter::from_fn(|| loaded.try_next()).map(|event| event.data()["plugin_id"].clone()).collect();
    // Those in the middle do not need each other.
    order[1..3].sort_by_key(ToString::to_string);
    assert_eq!(order, ["d", "b", "c", "a"]);
}

#[test]
fn a_dependency_that_stands_is_started() {
    let house = House::new();
    let base = house.register(&needing("base", on(&[])));
    block_on(house.kernel.load_stopped(&base)).unwrap();
    house.load(&needing("top", on(&["base"])));
    assert_eq!(house.state(&base), State::Running);
}

#[test]
fn a_missing_dependency_is_named() {
    let house = House::new();
    let id = house.register(&needing("top", on(&["base"])));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::DependencyNotFound);
    assert_eq!(error.record().data["dependency"], "base");
    assert_eq!(house.state(&id), State::Failed);
    house.register(&needing("base", on(&[])));
    block_on(house.kernel.load(&id)).unwrap();
}

#[test]
fn a_dependency_of_the_wrong_version_names_both() {
    let house = House::new();
    house.register(&needing("base", on(&[])).with("version", "1.4.0"));
    let id = house.register(&needing("top", json!([{ "id": "base", "version": "^2" }])));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::VersionMismatch);
    assert_eq!(error.record().data["found"], "1.4.0");
    assert!(error.record().data["required"].as_str().unwrap().contains('2'));
    let core = house.register(&needing("new", json!([{ "id": "core", "version": ">=9" }])));
    assert_eq!(block_on(house.kernel.load(&core)).unwrap_err().code(), Code::VersionMismatch);
    house.load(&needing("old", json!([{ "id": "core", "version": ">=1.0.0" }])));
}

#[test]
fn a_cycle_is_shown_and_nothing_of_it_runs() {
    let house = House::new();
    for (id, needs) in [("a", ["b"]), ("b", ["c"]), ("c", ["a"])] {
        house.register(&needing(id, on(&needs)));
    }
    let error = block_on(house.kernel.load(&name("a"))).unwrap_err();
    assert_eq!(error.code(), Code::DependencyCycle);
    assert_eq!(error.record().data["edges"], json!(["a → b", "b → c", "c → a"]));
    assert!(house.fake.loaded().is_empty());
}

#[test]
fn plugins_of_a_cycle_that_are_loaded_at_once_do_not_wait_for_each_other_forever() {
    let house = House::new();
    let ids = ["a", "b", "c"].map(name);
    for (id, needs) in [("a", ["b"]), ("b", ["c"]), ("c", ["a"])] {
        house.register(&needing(id, on(&needs)));
    }
    for _ in 0..50 {
        let loads: Vec<_> = ids
            .iter()
            .map(|id| {
                let (kernel, id) = (house.kernel.clone(), id.clone());
                thread::spawn(move || block_on(kernel.load(&id)))
            })
            .collect();
        for load in loads {
            assert_eq!(load.join().unwrap().unwrap_err().code(), Code::DependencyCycle);
        }
    }
}

#[test]
fn optional_dependencies_may_be_missing_or_broken() {
    let house = House::new();
    house.register(&PluginFolder::fake("broken", "no-such-program"));
    let optional = |id: &str| json!({ "id": id, "optional": true });
    let id = house.load(&needing("top", json!([optional("missing"), optional("broken")])));
    assert_eq!(house.state(&id), State::Running);
    // Two that would like each other both run.
    house.register(&needing("x", json!([optional("y")])));
    house.register(&needing("y", json!([optional("x")])));
    block_on(house.kernel.load(&name("x"))).unwrap();
    block_on(house.kernel.ensure_loaded(&name("y"))).unwrap();
    assert_eq!((house.state(&name("x")), house.state(&name("y"))), (State::Running, State::Running));
}

#[test]
fn two_that_would_like_each_other_run_below_a_third_as_well() {
    let house = House::new();
    let optional = |id: &str| json!([{ "id": id, "optional": true }]);
    house.register(&needing("x", optional("y")));
    house.register(&needing("y", optional("x")));
    let top = house.register(&needing("top", on(&["x"])));
    let kernel = house.kernel.clone();
    let load = thread::spawn(move || block_on(kernel.load(&top)));
    assert!(eventually(|| load.is_finished()), "they wait for each other");
    load.join().unwrap().unwrap();
    assert_eq!((house.state(&name("x")), house.state(&name("y"))), (State::Running, State::Running));
}

#[test]
fn what_is_started_again_gets_what_it_needs_again() {
    let house = House::new();
    let base = house.register(&needing("base", on(&[])));
    let top = house.load(&needing("top", on(&["base"])));
    block_on(house.kernel.stop(&top)).unwrap();
    block_on(house.kernel.unload(&base)).unwrap();
    block_on(house.kernel.start(&top)).unwrap();
    assert_eq!((house.state(&base), house.state(&top)), (State::Running, State::Running));
    block_on(house.kernel.disable(&top)).unwrap();
    block_on(house.kernel.unload(&base)).unwrap();
    block_on(house.kernel.enable(&top)).unwrap();
    assert_eq!((house.state(&base), house.state(&top)), (State::Running, State::Running));
    block_on(house.kernel.stop(&base)).unwrap();
    block_on(house.kernel.restart(&top)).unwrap();
    assert_eq!((house.state(&base), house.state(&top)), (State::Running, State::Running));
    // Without it, it stays as it was.
    block_on(house.kernel.disable(&base)).unwrap();
    assert_eq!(block_on(house.kernel.restart(&top)).unwrap_err().code(), Code::NotRunning);
    assert_eq!(house.state(&top), State::Running);
    block_on(house.kernel.enable(&base)).unwrap();
    block_on(house.kernel.stop(&top)).unwrap();
    block_on(house.kernel.unload(&base)).unwrap();
    block_on(house.kernel.unregister(&base)).unwrap();
    assert_eq!(block_on(house.kernel.start(&top)).unwrap_err().code(), Code::DependencyNotFound);
    assert_eq!(house.state(&top), State::Stopped);
    house.register(&PluginFolder::fake("base", "no-such-program"));
    assert!(block_on(house.kernel.start(&top)).is_err());
    assert_eq!(house.state(&top), State::Stopped);
}

#[test]
fn nothing_starts_whose_dependency_went_while_it_was_made_ready() {
    let gate = Gate::new();
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
    let _until = Until(&gate);
    let base = house.probe("base");
    let top = house.register(&PluginFolder::fake("top", "slow").with("dependencies", on(&["base"])));
    let (kernel, id) = (house.kernel.clone(), top.clone());
    let load = thread::spawn(move || block_on(kernel.load(&id)));
    assert!(gate.wait_for(1));
    assert_eq!(block_on(house.kernel.unload(&base)).unwrap_err().code(), Code::HasDependents);
    block_on(house.kernel.stop(&base)).unwrap();
    gate.open();
    let error = load.join().unwrap().unwrap_err();
    assert_eq!((error.code(), &error.record().data["dependency"]), (Code::NotRunning, &json!("base")), "{error:?}");
    assert_eq!(house.state(&top), State::Failed);
    block_on(house.kernel.load(&top)).unwrap();
    assert_eq!((house.state(&base), house.state(&top)), (State::Running, State::Running));
}

#[test]
fn what_others_need_is_not_unloaded() {
    let house = House::new();
    let base = house.register(&needing("base", on(&[])));
    let top = house.load(&needing("top", on(&["base"])));
    let error = block_on(house.kernel.unload(&base)).unwrap_err();
    assert_eq!(error.code(), Code::HasDependents);
    assert_eq!(error.record().data["dependents"], json!(["top"]));
    assert_eq!(house.state(&base), State::Running);
    block_on(house.kernel.unload(&top)).unwrap();
    block_on(house.kernel.unload(&base)).unwrap();
}

#[test]
fn what_is_just_ending_still_has_what_it_needs() {
    for hook in [Hook::Stop, Hook::Cleanup] {
        let gate = Gate::new();
        let house = House::with(&[("probe", probe()), ("slow", Program::echoing().waits_in(hook, &gate))]);
        let end = Until(&gate);
        let base = house.probe("base");
        let top = house.load(&PluginFolder::fake("top", "slow\n1").with("dependencies", on(&["base"])));
        let kernel = house.kernel.clone();
        let id = top.clone();
        let unload = thread::spawn(move || block_on(kernel.unload(&id)));
        assert!(gate.wait_for(1));
        let refused = block_on(house.kernel.unload(&base)).unwrap_err();
        assert_eq!((refused.code(), &refused.record().data["dependents"]), (Code::HasDependents, &json!(["top"])));
        drop(end);
        unload.join().unwrap().unwrap();
        block_on(house.kernel.unload(&base)).unwrap();
    }
}

#[test]
fn what_dependencies_accept_is_the_operator_s_to_decide() {
    let load = |selection: Selection, version: &str, needs: &str| {
        let house = House::over(Fake::new().program("probe", probe()), |builder| builder.versions(selection));
        house.register(&needing("base", on(&[])).with("version", version));
        let top = house.register(&needing("top", json!([{ "id": "base", "version": needs }])));
        let loaded = block_on(house.kernel.load(&top)).map_err(|error| error.code());
        assert_eq!(house.kernel.unmet(&top).unwrap().len(), usize::from(loaded.is_err()));
        loaded
    };
    let plain = Selection::default();
    let welcoming = Selection { allow_prerelease: true, ..plain };
    assert_eq!(load(plain, "1.3.0-rc.1", "^1.2"), Err(Code::VersionMismatch));
    assert_eq!(load(welcoming, "1.3.0-rc.1", "^1.2"), Ok(()));
    let exact = Selection { strategy: Strategy::Exact, ..plain };
    assert_eq!(load(plain, "1.3.0", "1.2.0"), Ok(()));
    assert_eq!(load(exact, "1.3.0", "1.2.0"), Err(Code::VersionMismatch));
    assert_eq!(load(exact, "1.2.0", "1.2.0"), Ok(()));
}
