//! Loading, starting, stopping, unloading.

use std::sync::{Arc, Mutex};

use midplane_contract::{Code, Hook, State};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::{PluginFolder, Program, eventually};
use serde_json::json;

use crate::house::{House, name, pool};

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
fn what_init_took_is_given_back_when_another_instance_cannot_start() {
    let ran: Arc<Mutex<Vec<String>>> = Arc::default();
    let noting = |program: Program, hook: Hook| {
        let ran = Arc::clone(&ran);
        program.hook(hook, move |desk, _| {
            let number = desk.context().number;
            ran.lock().unwrap().push(format!("{} {number}", hook.name()));
            // The second instance does not start.
            if hook == Hook::Start && number == 1 {
                Err(desk.own_error("no", "no", false, json!({})))
            } else {
                Ok(vec![])
            }
        })
    };
    let program = [Hook::Init, Hook::Start, Hook::Stop, Hook::Cleanup].into_iter().fold(Program::new(), noting);
    let house = House::with(&[("noting", program.action("echo", |_, input, reply| reply.write(input)))]);
    let id = house.register(&PluginFolder::fake("p", "noting").with("instances", pool(3, 3)));
    assert_eq!(block_on(house.kernel.load(&id)).unwrap_err().record().kind, midplane_contract::Kind::Start);
    let ran = ran.lock().unwrap().join(", ");
    assert_eq!(ran, "init 0, init 1, init 2, start 0, start 1, stop 0, cleanup 0, cleanup 1, cleanup 2");
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
