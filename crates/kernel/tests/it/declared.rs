//! Dependencies that code says beside its manifest.

use midplane_contract::manifest::Dependency;
use midplane_contract::{Code, PluginInfo, State};
use midplane_kernel::block_on;
use midplane_testkit::{PluginFolder, Program, probe};
use serde_json::{Value, json};

use crate::house::{House, name};

/// A program whose `info` names what it needs.
fn needing(needs: Value) -> Program {
    let dependencies: Vec<Dependency> = serde_json::from_value(needs).unwrap();
    probe().info(PluginInfo { dependencies, ..PluginInfo::default() })
}

#[test]
fn what_code_says_that_it_needs_is_loaded_before_it() {
    let on_base = json!([{ "id": "base", "version": "^1" }, { "id": "maybe", "version": "*", "optional": true }]);
    let house = House::with(&[("probe", probe()), ("top", needing(on_base))]);
    let started = house.kernel.bus().subscribe("plugin.*").unwrap();
    house.register(&PluginFolder::fake("base", "probe\n1"));
    let top = house.register(&PluginFolder::fake("top", "top\n1"));
    assert!(house.kernel.dependencies(&top).unwrap().is_empty());
    block_on(house.kernel.load(&top)).unwrap();
    assert_eq!(house.state(&name("base")), State::Running);
    let told: Vec<String> = std::iter::from_fn(|| started.try_next())
        .map(|event| format!("{} {}", event.topic(), event.data()["plugin_id"].as_str().unwrap()))
        .filter(|told| !told.contains("registered"))
        .collect();
    assert_eq!(told, ["plugin.loaded base", "plugin.started base", "plugin.loaded top", "plugin.started top"]);
    let ids: Vec<String> =
        house.kernel.dependencies(&top).unwrap().iter().map(|needed| needed.id.to_string()).collect();
    assert_eq!(ids, ["base", "maybe"]);
    let dependents = house.kernel.dependents(&name("base"));
    assert_eq!(dependents.len(), 1);
    let refused = block_on(house.kernel.unload(&name("base"))).unwrap_err();
    assert_eq!((refused.code(), &refused.record().data["dependents"]), (Code::HasDependents, &json!(["top"])));
    // The next load knows it from the beginning, and a reload finds it again.
    block_on(house.kernel.unload(&top)).unwrap();
    block_on(house.kernel.load(&top)).unwrap();
    block_on(house.kernel.reload(&top)).unwrap();
    assert_eq!(house.kernel.dependencies(&top).unwrap().len(), 2);
    assert_eq!(house.call("top/echo", "x").unwrap(), "x");
}

#[test]
fn what_installed_code_says_that_it_needs_is_not_uninstalled_while_it_stands() {
    let house = House::with(&[("probe", probe()), ("top", needing(json!([{ "id": "base" }])))]);
    let ids = ["base", "top"].map(|id| {
        let program = if id == "top" { "top\n1" } else { "probe\n1" };
        block_on(house.kernel.install(house.write(&PluginFolder::fake(id, program)))).unwrap()
    });
    block_on(house.kernel.stop(&ids[1])).unwrap();
    let refused = block_on(house.kernel.uninstall(&ids[0])).unwrap_err();
    assert_eq!((refused.code(), &refused.record().data["dependents"]), (Code::HasDependents, &json!(["top"])));
    assert_eq!(house.state(&ids[0]), State::Running);
}

#[test]
fn what_code_needs_and_cannot_have_fails_its_load_as_the_manifest_s_would() {
    let on = |id: &str, version: &str| needing(json!([{ "id": id, "version": version }]));
    let house = House::with(&[
        ("probe", probe()),
        ("lost", on("nowhere", "*")),
        ("new", on("base", "^2")),
        ("host", on("core", ">=9")),
        ("left", on("right", "*")),
        ("right", on("left", "*")),
    ]);
    house.register(&PluginFolder::fake("base", "probe\n1"));
    for (program, code) in
        [("lost", Code::DependencyNotFound), ("new", Code::VersionMismatch), ("host", Code::VersionMismatch)]
    {
        let id = house.register(&PluginFolder::fake(program, &format!("{program}\n1")));
        let error = block_on(house.kernel.load(&id)).unwrap_err();
        assert_eq!((error.code(), house.state(&id)), (code, State::Failed), "{error:?}");
    }
    // Each learns of the other only by loading it.
    for id in ["left", "right"] {
        house.register(&PluginFolder::fake(id, &format!("{id}\n1")));
    }
    let both = [name("left"), name("right")];
    std::thread::scope(|threads| {
        let loads = both.each_ref().map(|id| threads.spawn(|| block_on(house.kernel.load(id)).unwrap_err()));
        for load in loads {
            let error = load.join().unwrap();
            assert!(matches!(error.code(), Code::DependencyCycle | Code::NotRunning), "{error:?}");
        }
    });
    assert!(both.iter().all(|id| house.state(id) == State::Failed));
    assert_eq!(block_on(house.kernel.load(&both[0])).unwrap_err().code(), Code::DependencyCycle);
}
