use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Code, Hook, PluginId, PluginInfo, Settings, State};
use midplane_kernel::{Kernel, block_on};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, Scratch, eventually, probe};
use serde_json::json;

use super::super::{Discovery, Looked, policies};

fn settings(folder: &Path, more: &serde_json::Value) -> Settings {
    let mut settings = json!({ "folders": [folder] });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(settings).unwrap()
}

fn kernel(scratch: &Scratch, settings: &Settings) -> Kernel {
    let fake = Fake::new().program("probe", probe());
    let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache")).build();
    policies(settings).into_iter().for_each(|(id, policy)| kernel.set_policy(&id, policy));
    kernel
}

fn write(scratch: &Scratch, id: &str) -> std::path::PathBuf {
    PluginFolder::fake(id, "probe\n1").write(&scratch.path().join("plugins")).unwrap()
}

fn name(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

fn state(kernel: &Kernel, id: &str) -> Option<State> {
    kernel.status(&name(id)).ok().map(|status| status.state)
}

#[test]
fn a_look_registers_what_is_good_and_names_what_is_not() {
    let scratch = Scratch::new("discovery").unwrap();
    for id in ["a", "b"] {
        write(&scratch, id);
    }
    std::fs::write(write(&scratch, "broken").join("plugin.json"), "{").unwrap();
    let plugins =
        json!({ "a": { "auto_start": true }, "b": { "enabled": false, "auto_start": true }, "c": { "priority": 5 } });
    let settings = settings(&scratch.path().join("plugins"), &json!({ "plugins": plugins }));
    let kernel = kernel(&scratch, &settings);
    let discovery = Discovery::new(&kernel, &settings);
    let Looked { mut fresh, unusable } = block_on(discovery.look());
    fresh.push(name("c"));
    discovery.order(&mut fresh);
    assert_eq!(fresh, [name("c"), name("a"), name("b")]);
    assert_eq!(fresh.iter().map(|id| discovery.wants(id)).collect::<Vec<_>>(), [false, true, false]);
    assert!(unusable.is_empty(), "the catalog has it");
    let broken = |kernel: &Kernel| kernel.catalog().find(|entry| !entry.is_valid);
    assert_eq!(broken(&kernel)[0].validation_error.as_ref().unwrap().code(), Code::ManifestInvalid);
    assert_eq!((state(&kernel, "a"), state(&kernel, "broken")), (Some(State::Registered), None));
    assert_eq!(block_on(kernel.load(&name("b"))).unwrap_err().code(), Code::NotRunning);
    // It comes when it is mended.
    assert!(block_on(discovery.look()).fresh.is_empty());
    write(&scratch, "broken");
    assert_eq!(block_on(discovery.look()).fresh, [name("broken")]);
}

#[test]
fn of_versions_side_by_side_the_one_that_counts_is_registered() {
    let scratch = Scratch::new("discovery").unwrap();
    for (shelf, version) in [("1", "1.0.0"), ("2", "2.1.0"), ("3", "2.0.0")] {
        let folder = PluginFolder::fake("a", "probe\n1").with("version", version);
        folder.write(&scratch.path().join("plugins").join(shelf)).unwrap();
    }
    let settings = settings(&scratch.path().join("plugins"), &json!({}));
    let kernel = kernel(&scratch, &settings);
    assert_eq!(block_on(Discovery::new(&kernel, &settings).look()).fresh, [name("a")]);
    assert_eq!(kernel.status(&name("a")).unwrap().manifest.version.to_string(), "2.1.0");
}

#[test]
fn a_folder_that_the_settings_name_and_that_is_not_there_is_told_and_those_of_the_defaults_are_not() {
    let scratch = Scratch::new("discovery").unwrap();
    let broken = |settings: &Settings| {
        let kernel = kernel(&scratch, settings);
        block_on(Discovery::new(&kernel, settings).look());
        kernel.catalog().find(|entry| !entry.is_valid).len()
    };
    assert_eq!(broken(&settings(&scratch.path().join("nowhere"), &json!({}))), 1);
    assert_eq!(broken(&Settings::default()), 0);
    let folders = midplane_kernel::catalog::folders::MODULE_DIRS.map(str::to_owned).into();
    assert_eq!(broken(&Settings { folders, ..Settings::default() }), 0);
}

#[test]
fn what_cannot_be_registered_is_told_once() {
    let scratch = Scratch::new("discovery").unwrap();
    let settings = settings(scratch.path(), &json!({}));
    // A bare file that says nothing a runtime here understands.
    std::fs::write(scratch.path().join("p.so"), "no code").unwrap();
    let discovery = Discovery::new(&kernel(&scratch, &settings), &settings);
    let told = block_on(discovery.look()).unusable;
    assert_eq!((told.len(), told[0].error.code()), (1, Code::UnsupportedRuntime));
    assert!(block_on(discovery.look()).unusable.is_empty());
}

#[test]
fn bare_files_of_one_name_are_plugins_each() {
    let scratch = Scratch::new("discovery").unwrap();
    let named = |id: &str| Program::echoing().info(PluginInfo { id: id.to_owned(), ..PluginInfo::default() });
    let fake = Fake::new().program("one", named("one")).program("two", named("two"));
    let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache")).build();
    for program in ["one", "two"] {
        let folder = scratch.path().join("plugins").join(program);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("main.wasm"), format!("{program}\n1")).unwrap();
    }
    let settings = settings(&scratch.path().join("plugins"), &json!({}));
    let Looked { fresh, unusable } = block_on(Discovery::new(&kernel, &settings).look());
    assert_eq!(fresh, [name("one"), name("two")], "{unusable:?}");
    // What is here already, by its path, is not tried again.
    let Looked { fresh, unusable } = block_on(Discovery::new(&kernel, &settings).look());
    assert_eq!((fresh.len(), unusable.len()), (2, 0), "{unusable:?}");
}

#[test]
fn plugins_that_come_later_are_loaded_where_that_is_wanted() {
    let scratch = Scratch::new("discovery").unwrap();
    let more = json!({ "load": { "auto": true }, "plugins": { "off": { "enabled": false } } });
    let settings = settings(&scratch.path().join("plugins"), &more);
    write(&scratch, "first");
    let kernel = kernel(&scratch, &settings);
    let discovery = Discovery::new(&kernel, &settings);
    assert_eq!(block_on(discovery.look()).fresh, [name("first")]);
    let removed = kernel.bus().subscribe("plugin.removed").unwrap();
    let watching = discovery.watch().unwrap();
    write(&scratch, "off");
    let later = write(&scratch, "later");
    assert!(eventually(|| state(&kernel, "later") == Some(State::Running)), "{:?}", state(&kernel, "later"));
    assert!(eventually(|| state(&kernel, "off") == Some(State::Registered)));
    assert_eq!(state(&kernel, "first"), Some(State::Registered), "whoever looked first decides about it");
    // One that cannot be loaded is tried again when its files have changed.
    PluginFolder::fake("bad", "no-such-program").write(&scratch.path().join("plugins")).unwrap();
    assert!(eventually(|| state(&kernel, "bad") == Some(State::Failed)));
    write(&scratch, "bad");
    assert!(eventually(|| state(&kernel, "bad") == Some(State::Running)));
    // What it needs may come after it.
    let needing =
        |id: &str, needs: &str| PluginFolder::fake(id, "probe\n1").with("dependencies", json!([{ "id": needs }]));
    for (id, needs) in [("top", "middle"), ("middle", "base")] {
        needing(id, needs).write(&scratch.path().join("plugins")).unwrap();
        assert!(eventually(|| state(&kernel, id) == Some(State::Failed)));
    }
    write(&scratch, "base");
    assert!(eventually(|| state(&kernel, "top") == Some(State::Running)), "{:?}", state(&kernel, "top"));
    // What goes is told, and runs on.
    std::fs::remove_dir_all(later).unwrap();
    assert!(eventually(|| removed.try_next().is_some()));
    assert_eq!(state(&kernel, "later"), Some(State::Running));
    drop(watching);
}

#[test]
fn what_has_one_priority_is_loaded_at_once_and_a_lower_one_after_it() {
    let scratch = Scratch::new("discovery").unwrap();
    let gate = Gate::new();
    let (met, slow) = (gate.clone(), Program::echoing());
    let slow = slow.hook(Hook::Start, move |desk, _| {
        // The second to come lets both go on.
        if met.arrived() > 0 {
            met.open();
        }
        desk.wait_at(&met).map(|()| Vec::new())
    });
    let fake = Fake::new().program("probe", probe()).program("slow", slow);
    let plugins = json!({ "one": { "priority": 5 }, "two": { "priority": 5 } });
    let settings = settings(&scratch.path().join("plugins"), &json!({ "plugins": plugins }));
    let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache")).build();
    for id in ["one", "two"] {
        PluginFolder::fake(id, "slow").write(&scratch.path().join("plugins")).unwrap();
    }
    write(&scratch, "after");
    let discovery = Discovery::new(&kernel, &settings);
    let fresh = block_on(discovery.look()).fresh;
    let started = kernel.bus().subscribe("plugin.started").unwrap();
    let done = block_on(discovery.load(fresh));
    assert_eq!(done.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["one", "two", "after"]);
    assert!(done.iter().all(|(_, done)| done.is_ok()), "{done:?}");
    let last = std::iter::from_fn(|| started.try_next()).last().unwrap();
    assert_eq!(last.data()["plugin_id"], "after");
}

#[test]
fn a_rescan_by_somebody_else_is_followed() {
    let scratch = Scratch::new("discovery").unwrap();
    let folder = scratch.path().join("plugins");
    std::fs::create_dir(&folder).unwrap();
    let slow = settings(&folder, &json!({ "load": { "auto": true }, "scan": { "interval": "1h" } }));
    let kernel = kernel(&scratch, &slow);
    let discovery = Discovery::new(&kernel, &slow);
    let watching = discovery.watch().unwrap();
    write(&scratch, "p");
    block_on(kernel.scan(vec![folder.clone()]));
    assert!(eventually(|| state(&kernel, "p") == Some(State::Running)));
    drop(watching);
}

#[test]
fn what_settings_want_that_change_is_loaded_and_looked_for() {
    let scratch = Scratch::new("discovery").unwrap();
    let (folder, other) = (scratch.path().join("plugins"), scratch.path().join("others"));
    write(&scratch, "first");
    write(&scratch, "second");
    let with = |more: &serde_json::Value| settings(&folder, more);
    let quiet = with(&json!({ "scan": { "auto": false } }));
    let kernel = kernel(&scratch, &quiet);
    let discovery = Discovery::new(&kernel, &quiet);
    block_on(discovery.look());
    let watching = discovery.watch().unwrap();
    let becomes = |id: &str, is: State| assert!(eventually(|| state(&kernel, id) == Some(is)), "{id} is not {is}");
    // One plugin, then all of them.
    let one = json!({ "scan": { "auto": false }, "plugins": { "first": { "auto_start": true } } });
    discovery.take_over(&with(&one));
    becomes("first", State::Running);
    assert_eq!(state(&kernel, "second"), Some(State::Registered));
    // What somebody has stopped stays so; what comes is not looked for.
    block_on(kernel.stop(&name("first"))).unwrap();
    let later = write(&scratch, "later");
    block_on(kernel.scan(vec![folder.clone()]));
    discovery.take_over(&with(&json!({ "load": { "auto": true }, "scan": { "auto": false } })));
    becomes("second", State::Running);
    assert_eq!((state(&kernel, "first"), state(&kernel, "later")), (Some(State::Stopped), None));
    // From here on it is, and what was found before counts as well.
    discovery.take_over(&with(&json!({ "load": { "auto": true }, "scan": { "interval": "1h" } })));
    becomes("later", State::Running);
    write(&scratch, "soon");
    becomes("soon", State::Running);
    // By its path, and only once.
    let place = PluginFolder::fake("named", "probe\n1").write(&scratch.path().join("alone")).unwrap();
    let named = json!({ "scan": { "auto": false }, "plugins": { "named": { "path": place, "auto_start": true } } });
    discovery.take_over(&with(&named));
    becomes("named", State::Running);
    assert!(block_on(discovery.look()).unusable.is_empty());
    let another = Discovery::new(&kernel, &with(&named));
    assert!(block_on(another.look()).unusable.is_empty(), "it is there from that place");
    // In another folder, without loading; what runs is left alone.
    PluginFolder::fake("elsewhere", "probe\n1").write(&other).unwrap();
    discovery.take_over(&settings(&other, &json!({})));
    becomes("elsewhere", State::Registered);
    assert_eq!(state(&kernel, "soon"), Some(State::Running));
    std::fs::remove_dir_all(later).unwrap();
    drop(watching);
    discovery.take_over(&quiet);
}
