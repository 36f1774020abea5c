//! Loading, starting, stopping, unloading.

use futures_lite::future::poll_once;
use midplane_contract::{Code, Hook, State};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::{Gate, PluginFolder, Program, eventually};
use serde_json::json;

use crate::house::{House, name};

#[test]
fn a_plugin_goes_through_its_whole_life_and_again() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    for _ in 0..3 {
        assert_eq!(house.state(&id), State::Registered);
        block_on(house.kernel.load_stopped(&id)).unwrap();
        assert_eq!(house.state(&id), State::Loaded);
        block_on(house.kernel.start(&id)).unwrap();
        assert_eq!(house.state(&id), State::Running);
        assert_eq!(house.call("p/echo", "x").unwrap(), "x");
        block_on(house.kernel.stop(&id)).unwrap();
        assert_eq!(house.state(&id), State::Stopped);
        block_on(house.kernel.start(&id)).unwrap();
        assert_eq!(house.call("p/history", "").unwrap(), r#"["validate_config","init","start","stop","start"]"#);
        block_on(house.kernel.unload(&id)).unwrap();
        assert!(house.fake.loaded().is_empty());
        assert_eq!(house.fake.instances(), 0);
    }
    block_on(house.kernel.unregister(&id)).unwrap();
    assert_eq!(house.kernel.status(&id).unwrap_err().code(), Code::PluginNotFound);
    assert_eq!(house.kernel.statuses().len(), 0);
}

#[test]
fn loading_what_is_loaded_is_refused_unless_asked_to_ensure_it() {
    let house = House::new();
    let id = house.probe("p");
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::AlreadyLoaded);
    block_on(house.kernel.ensure_loaded(&id)).unwrap();
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::AlreadyLoaded);
    block_on(house.kernel.ensure_loaded(&id)).unwrap();
    assert_eq!(house.state(&id), State::Running);
    assert_eq!(house.fake.loaded(), ["p"]);
}

#[test]
fn what_is_not_loaded_can_neither_be_unloaded_nor_started_nor_stopped_nor_called() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    assert_eq!(block_on(house.kernel.unload(&id)).unwrap_err().code(), Code::NotLoaded);
    assert_eq!(block_on(house.kernel.start(&id)).unwrap_err().code(), Code::NotLoaded);
    assert_eq!(block_on(house.kernel.stop(&id)).unwrap_err().code(), Code::NotLoaded);
    assert_eq!(house.call("p/echo", "").unwrap_err().code(), Code::NotLoaded);
    assert_eq!(house.call_inline("p/echo", "").unwrap_err().code(), Code::NotLoaded);
    assert_eq!(block_on(house.kernel.health(&id)).unwrap_err().code(), Code::NotLoaded);
    assert_eq!(house.call("q/echo", "").unwrap_err().code(), Code::PluginNotFound);
}

#[test]
fn a_plugin_that_is_not_started_takes_no_calls() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    block_on(house.kernel.load_stopped(&id)).unwrap();
    assert_eq!(house.call("p/echo", "").unwrap_err().code(), Code::NotRunning);
    block_on(house.kernel.start(&id)).unwrap();
    assert_eq!(house.call_inline("p/echo", "x").unwrap(), "x");
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(house.call("p/echo", "").unwrap_err().code(), Code::NotRunning);
    assert_eq!(house.call_inline("p/echo", "").unwrap_err().code(), Code::NotRunning);
}

#[test]
fn starting_what_runs_and_stopping_what_stands_are_state_errors() {
    let house = House::new();
    let id = house.probe("p");
    assert_eq!(block_on(house.kernel.start(&id)).unwrap_err().code(), Code::AlreadyLoaded);
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(block_on(house.kernel.stop(&id)).unwrap_err().record().kind, midplane_contract::Kind::State);
    assert_eq!(house.state(&id), State::Stopped);
}

#[test]
fn an_id_is_registered_once() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    let again = house.write(&PluginFolder::fake("p", "probe\n2").with("version", "2.0.0"));
    let error = block_on(house.kernel.register(again)).unwrap_err();
    assert_eq!(error.code(), Code::AlreadyRegistered);
    assert_eq!(error.record().data.get("version").unwrap(), "1.0.0");
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!(block_on(house.kernel.unregister(&id)).unwrap_err().code(), Code::AlreadyLoaded);
}

#[test]
fn a_failed_load_keeps_its_cause_and_unloads_the_code() {
    let house = House::new();
    let folder = PluginFolder::fake("p", "probe\n1");
    let id = house.register(&folder.clone().with("config", json!({ "fail_in": ["init"] })));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::PluginError);
    assert_eq!(error.record().kind, midplane_contract::Kind::Initialize);
    assert_eq!(error.record().plugin.as_deref(), Some("p"));
    let status = house.kernel.status(&id).unwrap();
    assert_eq!(status.state, State::Failed);
    assert_eq!(status.cause.unwrap().code(), Code::PluginError);
    assert!(eventually(|| house.fake.loaded().is_empty() && house.fake.instances() == 0));
    let refused = house.call("p/echo", "").unwrap_err();
    assert_eq!(refused.code(), Code::NotRunning);
    assert_eq!(refused.record().data.get("cause_code").unwrap(), "plugin_error");
    // The next load, after the cause was mended, works.
    house.write(&folder);
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_failed_start_unloads_the_code_as_well() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1").with("config", json!({ "fail_in": ["start"] })));
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().record().kind, midplane_contract::Kind::Start);
    assert_eq!(house.state(&id), State::Failed);
    assert!(eventually(|| house.fake.loaded().is_empty() && house.fake.instances() == 0));
    block_on(house.kernel.unload(&id)).unwrap();
    assert_eq!(house.state(&id), State::Registered);
}

#[test]
fn loading_a_path_that_fails_leaves_nothing_behind() {
    let house = House::new();
    let path = house.write(&PluginFolder::fake("p", "no-such-program"));
    assert_eq!(block_on(house.kernel.load_path(&path)).unwrap_err().code(), Code::NotAPlugin);
    assert_eq!(house.kernel.statuses().len(), 0);
    house.write(&PluginFolder::fake("p", "probe\n1"));
    assert_eq!(block_on(house.kernel.load_path(&path)).unwrap(), name("p"));
}

#[test]
fn a_disabled_plugin_stays_stopped_until_it_is_enabled() {
    let house = House::new();
    let id = house.probe("p");
    block_on(house.kernel.disable(&id)).unwrap();
    assert_eq!(house.state(&id), State::Stopped);
    assert!(house.kernel.status(&id).unwrap().disabled);
    for refused in [
        block_on(house.kernel.start(&id)),
        block_on(house.kernel.load(&id)),
        block_on(house.kernel.reload(&id)),
        block_on(house.kernel.restart(&id)),
        block_on(house.kernel.ensure_loaded(&id)),
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::NotRunning);
        assert_eq!(house.state(&id), State::Stopped);
    }
    block_on(house.kernel.enable(&id)).unwrap();
    assert_eq!(house.state(&id), State::Running);
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_restart_keeps_the_instance_and_a_failed_plugin_is_loaded_anew() {
    let house = House::new();
    let id = house.probe("p");
    assert_eq!(house.call("p/counter", "").unwrap(), "1");
    block_on(house.kernel.restart(&id)).unwrap();
    assert_eq!(house.call("p/counter", "").unwrap(), "2");
    assert_eq!(house.call("p/abort", "").unwrap_err().code(), Code::Crashed);
    house.wait_for(&id, State::Failed);
    block_on(house.kernel.restart(&id)).unwrap();
    assert_eq!(house.call("p/counter", "").unwrap(), "1");
    assert!(eventually(|| house.fake.loaded() == ["p"] && house.fake.instances() == 1));
}

#[test]
fn an_unload_right_after_a_failure_does_not_touch_the_next_generation() {
    let house = House::new();
    let id = house.probe("p");
    for _ in 0..200 {
        house.call("p/abort", "").unwrap_err();
        house.wait_for(&id, State::Failed);
        block_on(house.kernel.unload(&id)).unwrap();
        block_on(house.kernel.load(&id)).unwrap();
        assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    }
    assert!(eventually(|| house.fake.loaded() == ["p"] && house.fake.instances() == 1));
}

#[test]
fn an_unload_waits_for_the_calls_in_flight() {
    let gate = Gate::new();
    let inside = gate.clone();
    let program = Program::new().waiting("wait", move |desk, _, reply| {
        desk.wait_at(&inside)?;
        reply.write(b"done")
    });
    let house = House::with(&[("gated", program)]);
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let wait = house.action("p/wait");
    let call = std::thread::spawn(move || block_on(wait.call("")));
    assert!(gate.wait_for(1));
    let (kernel, plugin) = (house.kernel.clone(), id.clone());
    let unload = std::thread::spawn(move || block_on(kernel.unload(&plugin)));
    house.wait_for(&id, State::Stopping);
    assert_eq!(house.call("p/wait", "").unwrap_err().code(), Code::NotRunning);
    gate.open();
    assert_eq!(call.join().unwrap().unwrap(), b"done");
    unload.join().unwrap().unwrap();
    assert_eq!(house.fake.instances(), 0);
}

#[test]
fn shutdown_unloads_everything_dependents_first() {
    let house = House::new();
    house.probe("base");
    house.load(&PluginFolder::fake("top", "probe\n1").with("dependencies", json!([{ "id": "base" }])));
    let unloaded = house.kernel.events("plugin.unloaded");
    block_on(house.kernel.shutdown());
    let order: Vec<_> =
        std::iter::from_fn(|| unloaded.try_next()).map(|event| event.data["plugin_id"].clone()).collect();
    assert_eq!(order, ["top", "base"]);
    assert_eq!(house.fake.instances(), 0);
    assert!(house.fake.loaded().is_empty());
}

#[test]
fn the_last_kernel_takes_its_plugins_with_it() {
    let house = House::new();
    house.probe("p");
    let fake = house.fake.clone();
    drop(house);
    assert!(eventually(|| fake.instances() == 0 && fake.loaded().is_empty()));
}

#[test]
fn an_operation_whose_caller_goes_away_is_not_left_half_done() {
    let gate = Gate::new();
    let inside = gate.clone();
    let program =
        Program::new().action("echo", |_, input, reply| reply.write(input)).hook(Hook::Init, move |desk, _| {
            desk.wait_at(&inside)?;
            Ok(Vec::new())
        });
    let house = House::with(&[("slow", program)]);
    let id = house.register(&PluginFolder::fake("p", "slow"));
    {
        let mut load = Box::pin(house.kernel.load(&id));
        assert!(block_on(poll_once(&mut load)).is_none());
        assert!(eventually(|| {
            let _ = block_on(poll_once(&mut load));
            gate.arrived() == 1
        }));
    }
    gate.open();
    house.wait_for(&id, State::Running);
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    // Stopping, reloading and unloading as well.
    drop_midway(house.kernel.stop(&id));
    assert!(eventually(|| matches!(house.state(&id), State::Stopped | State::Running)));
    block_on(house.kernel.restart(&id)).unwrap();
    drop_midway(house.kernel.reload(&id));
    house.wait_for(&id, State::Running);
    drop_midway(house.kernel.unload(&id));
    assert!(eventually(|| matches!(house.state(&id), State::Registered | State::Running)));
    block_on(house.kernel.ensure_loaded(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

fn drop_midway<T>(operation: impl Future<Output = T>) {
    let mut operation = Box::pin(operation);
    let _ = block_on(poll_once(&mut operation));
}

#[test]
fn loads_of_many_plugins_at_once_all_succeed() {
    let house = House::new();
    let ids: Vec<_> = (0..100).map(|n| house.register(&PluginFolder::fake(&format!("p{n}"), "probe\n1"))).collect();
    let loads: Vec<_> = ids
        .iter()
        .map(|id| {
            let (kernel, id) = (house.kernel.clone(), id.clone());
            std::thread::spawn(move || block_on(kernel.load(&id)))
        })
        .collect();
    for load in loads {
        load.join().unwrap().unwrap();
    }
    for id in &ids {
        assert_eq!(house.call(&format!("{id}/echo"), "x").unwrap(), "x");
    }
    assert_eq!(house.fake.instances(), 100);
}

#[test]
fn two_loads_of_one_plugin_at_once_load_it_once() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    let loads: Vec<_> = (0..8)
        .map(|_| {
            let (kernel, id) = (house.kernel.clone(), id.clone());
            std::thread::spawn(move || block_on(kernel.load(&id)))
        })
        .collect();
    let done: Vec<_> = loads.into_iter().map(|load| load.join().unwrap()).collect();
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert!(done.iter().flat_map(|done| done.as_ref().err()).all(|error| error.code() == Code::AlreadyLoaded));
    assert_eq!(house.fake.loaded(), ["p"]);
}

#[test]
fn code_that_cannot_be_unloaded_moves_to_a_worker_with_its_next_generation() {
    use midplane_contract::{Placement, RuntimeKind};
    use midplane_testkit::{Fake, probe};
    let staying = Fake::staying("thread-local destructors").program("probe", probe());
    let worker = Fake::serving(RuntimeKind::Wasm, Placement::Worker).program("probe", probe());
    let second = std::sync::Arc::new(worker);
    let house = House::over(staying, |builder| builder.runtime(second));
    let id = house.probe("p");
    let runtime = || house.kernel.status(&id).unwrap().generation.unwrap().runtime;
    assert_eq!(runtime(), "wasm/in-process");
    let stays = house.kernel.status(&id).unwrap().generation.unwrap().stays_loaded;
    assert_eq!(stays.as_deref(), Some("thread-local destructors"));
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(runtime(), "wasm/worker");
}

#[test]
fn a_limit_that_the_runtime_cannot_hold_refuses_the_load() {
    let house = House::new();
    let id = house.register(&PluginFolder::fake("p", "probe\n1").with("limits", json!({ "cpu": 0.5 })));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::LimitNotEnforceable);
    assert_eq!(error.record().data["which"], json!(["cpu"]));
}

#[test]
fn status_tells_what_there_is_to_know() {
    let house = House::new();
    let id = house.probe("p");
    house.call("p/echo", "").unwrap();
    house.call("p/fail", r#"{"code":"x","message":"y"}"#).unwrap_err();
    let status = house.kernel.status(&id).unwrap();
    assert_eq!((status.calls.calls, status.calls.errors, status.load_count), (2, 1, 1));
    assert_eq!(status.known_as, "Running/Active");
    assert!(!status.is_healthy);
    let generation = status.generation.unwrap();
    assert_eq!(generation.runtime, "wasm/in-process");
    assert!(generation.actions.contains(&"echo".to_owned()));
    let policy = Policy { placement: Some(midplane_contract::Placement::Worker), ..Policy::default() };
    house.kernel.set_policy(&id, policy);
    block_on(house.kernel.unload(&id)).unwrap();
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().code(), Code::UnsupportedRuntime);
}
