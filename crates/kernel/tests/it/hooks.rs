//! Hooks: their deadlines, their errors, and what becomes of the plugin.

use std::time::Duration;

use midplane_contract::{Code, HealthStatus, Hook, Kind, Limits, State};
use midplane_kernel::block_on;
use midplane_testkit::{Fake, Gate, PATIENCE, PluginFolder, Program, eventually, probe};
use serde_json::json;

use crate::house::{House, name};

fn impatient() -> Limits {
    Limits { hook_deadline_ms: Some(30), ..Limits::default() }
}

#[test]
fn a_hang_in_a_hook_of_loading_ends_at_its_deadline() {
    let house = House::new();
    for hook in ["init", "start"] {
        house.limit(hook, impatient());
        let id = house.register(&PluginFolder::fake(hook, "probe\n1").with("config", json!({ "hang_in": [hook] })));
        let error = block_on(house.kernel.load(&id)).unwrap_err();
        assert_eq!((error.code(), error.record().kind), (Code::DeadlineExceeded, Kind::Timeout));
        assert_eq!(error.record().data["hook"], hook);
        assert_eq!(house.state(&id), State::Failed);
    }
    assert!(eventually(|| house.fake.instances() == 0));
}

#[test]
fn a_load_has_so_much_time_for_its_hooks_together() {
    let fake = Fake::new().program("probe", probe());
    let house = House::over(fake, |builder| builder.load_time(Some(Duration::from_millis(40))));
    for hook in ["init", "start"] {
        let id = house.register(&PluginFolder::fake(hook, "probe\n1").with("config", json!({ "hang_in": [hook] })));
        let error = block_on(house.kernel.load(&id)).unwrap_err();
        assert_eq!((error.code(), &error.record().data["hook"]), (Code::DeadlineExceeded, &json!(hook)));
        assert_eq!(house.state(&id), State::Failed);
    }
    // It is the load's time, not that of every hook from then on.
    let generous = House::over(Fake::new().program("probe", probe()), |builder| builder.load_time(Some(PATIENCE)));
    let id = generous.probe("p");
    block_on(generous.kernel.stop(&id)).unwrap();
    block_on(generous.kernel.start(&id)).unwrap();
}

#[test]
fn a_hang_in_stop_does_not_keep_a_plugin_from_stopping_and_starting() {
    let house = House::new();
    house.limit("p", impatient());
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("config", json!({ "hang_in": ["stop"] })));
    block_on(house.kernel.stop(&id)).unwrap();
    let status = house.kernel.status(&id).unwrap();
    assert_eq!(status.state, State::Stopped);
    assert_eq!(status.last_error.unwrap().code(), Code::DeadlineExceeded);
    block_on(house.kernel.start(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    block_on(house.kernel.unload(&id)).unwrap();
    assert_eq!(house.state(&id), State::Registered);
    assert_eq!(house.fake.instances(), 0);
}

#[test]
fn a_hook_that_does_not_listen_is_abandoned_with_its_instance() {
    let gate = Gate::new();
    let deaf = gate.clone();
    let program = Program::echoing().hook(Hook::Stop, move |_, _| {
        while !deaf.is_open() {
            std::thread::yield_now();
        }
        Ok(Vec::new())
    });
    let house = House::with(&[("deaf", program)]);
    house.limit("p", impatient());
    let id = house.load(&PluginFolder::fake("p", "deaf"));
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(house.fake.instances(), 1, "the hook's thread still has it");
    block_on(house.kernel.start(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    gate.open();
    assert!(eventually(|| house.fake.instances() == 1));
}

#[test]
fn the_phase_decides_the_kind_of_a_hook_s_error() {
    let house = House::new();
    for (hook, kind) in [("init", Kind::Initialize), ("start", Kind::Start)] {
        for (what, code) in [("fail_in", Code::PluginError), ("panic_in", Code::Panicked)] {
            let config = json!({ what: [hook] });
            let folder = PluginFolder::fake(&format!("{hook}-{}", &what[..4]), "probe\n1").with("config", config);
            let id = house.register(&folder);
            let error = block_on(house.kernel.load(&id)).unwrap_err();
            assert_eq!((error.code(), error.record().kind), (code, kind));
            assert_eq!(error.record().data["hook"], hook);
            assert_eq!(error.record().runtime.as_deref(), Some("wasm/in-process"));
        }
    }
}

#[test]
fn errors_of_stop_and_cleanup_are_kept_and_change_nothing() {
    let house = House::new();
    for hook in ["stop", "cleanup"] {
        let id = house.load(&PluginFolder::fake(hook, "probe\n1").with("config", json!({ "fail_in": [hook] })));
        block_on(house.kernel.unload(&id)).unwrap();
        let status = house.kernel.status(&id).unwrap();
        assert_eq!(status.state, State::Registered);
        let error = status.last_error.unwrap();
        assert_eq!((error.code(), error.record().kind), (Code::PluginError, Kind::Stop));
    }
    assert_eq!(house.fake.instances(), 0);
}

#[test]
fn a_crash_in_stop_does_not_keep_a_plugin_loaded() {
    let program = Program::echoing().hook(Hook::Stop, |desk, _| Err(desk.die()));
    let house = House::with(&[("dying", program)]);
    let id = house.load(&PluginFolder::fake("p", "dying"));
    block_on(house.kernel.unload(&id)).unwrap();
    assert_eq!(house.state(&id), State::Registered);
    assert!(eventually(|| house.fake.instances() == 0 && house.fake.loaded().is_empty()));
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn hooks_run_once_per_instance_and_in_order() {
    let house = House::new();
    let pool = json!({ "mode": "pool", "min": 2, "max": 2 });
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("instances", pool));
    // Only the first instance is asked about the configuration.
    assert_eq!(house.call("p/history", "").unwrap(), r#"["validate_config","init","start"]"#);
    block_on(house.kernel.unload(&id)).unwrap();
    let status = house.kernel.status(&id).unwrap();
    assert!(status.last_error.is_none());
}

#[test]
fn health_is_what_the_hook_says_and_healthy_without_one() {
    let house = House::with(&[("plain", Program::echoing())]);
    let plain = house.load(&PluginFolder::fake("plain", "plain"));
    assert_eq!(block_on(house.kernel.health(&plain)).unwrap().status, HealthStatus::Healthy);
    block_on(house.kernel.ping(&plain)).unwrap();
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("config", json!({ "health": "degraded" })));
    house.call("p/counter", "").unwrap();
    let health = block_on(house.kernel.health(&id)).unwrap();
    assert_eq!(health.status, HealthStatus::Degraded);
    assert_eq!(health.details["counter"], 1);
    let odd = house.load(&PluginFolder::fake("odd", "probe\n1").with("config", json!({ "health": "splendid" })));
    assert_eq!(block_on(house.kernel.health(&odd)).unwrap_err().code(), Code::PluginError);
    block_on(house.kernel.stop(&odd)).unwrap();
    assert_eq!(block_on(house.kernel.health(&odd)).unwrap_err().code(), Code::NotRunning);
    assert_eq!(block_on(house.kernel.health(&name("none"))).unwrap_err().code(), Code::PluginNotFound);
}

#[test]
fn a_probe_whose_caller_goes_away_does_not_cost_the_instance() {
    let gate = Gate::new();
    let program = Program::new()
        .action("count", |desk, _, reply| {
            desk.memory.counter += 1;
            reply.write(desk.memory.counter.to_string().as_bytes())
        })
        .waits_in(Hook::Health, &gate);
    let house = House::with(&[("slow", program)]);
    let id = house.load(&PluginFolder::fake("p", "slow"));
    assert_eq!(house.call("p/count", "").unwrap(), "1");
    let mut health = Box::pin(house.kernel.health(&id));
    assert!(eventually(|| {
        let _ = block_on(futures_lite::future::poll_once(&mut health));
        gate.arrived() == 1
    }));
    drop(health);
    gate.open();
    assert_eq!(house.call("p/count", "").unwrap(), "2");
}
