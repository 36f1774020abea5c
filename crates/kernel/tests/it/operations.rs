//! Operations that meet each other, calls, and callers that go away.

use std::pin::pin;
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::{Code, Hook, State};
use midplane_kernel::block_on;
use midplane_testkit::{Gate, PluginFolder, Program, eventually, probe};
use serde_json::json;

use crate::house::{House, Until};

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
    let unloaded = house.kernel.bus().subscribe("plugin.unloaded").unwrap();
    block_on(house.kernel.shutdown());
    let order: Vec<_> =
        std::iter::from_fn(|| unloaded.try_next()).map(|event| event.data()["plugin_id"].clone()).collect();
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
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
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
fn what_is_no_longer_registered_is_not_loaded_by_who_has_waited_for_it() {
    let gate = Gate::new();
    let house = House::with(&[("probe", probe()), ("slow", Program::echoing().waits_in(Hook::Cleanup, &gate))]);
    let end = Until(&gate);
    let id = house.load(&PluginFolder::fake("p", "slow\n1"));
    let (kernel, unloaded) = (house.kernel.clone(), id.clone());
    let unload = thread::spawn(move || block_on(kernel.unload(&unloaded)));
    assert!(gate.wait_for(1));
    let mut unregister = pin!(house.kernel.unregister(&id));
    let mut load = pin!(house.kernel.load(&id));
    assert!(block_on(poll_once(&mut unregister)).is_none());
    assert!(block_on(poll_once(&mut load)).is_none());
    drop(end);
    unload.join().unwrap().unwrap();
    block_on(unregister).unwrap();
    assert_eq!(block_on(load).unwrap_err().code(), Code::NotRunning);
    assert!(house.fake.loaded().is_empty());
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
