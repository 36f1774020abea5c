//! Replacing a plugin while it is used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use midplane_contract::{Code, Hook, PluginId, Result, State};
use midplane_kernel::block_on;
use midplane_testkit::{Gate, PluginFolder, Program, eventually};
use serde_json::json;

use crate::house::{House, Until, late};

fn version(number: u32) -> PluginFolder {
    PluginFolder::fake("p", &format!("probe\n{number}"))
}

/// A reload that is under way.
struct Replacement {
    house: House,
    id: PluginId,
    /// What it waits at.
    gate: Gate,
    reload: JoinHandle<Result<()>>,
}

impl Replacement {
    /// One whose second version waits in a hook.
    fn held_in(hook: Hook) -> Self {
        let gate = Gate::new();
        let inside = gate.clone();
        let program = Program::new()
            .action("version", |desk, _, reply| reply.write(desk.code().as_bytes()))
            .action("abort", |desk, _, _| Err(desk.die()))
            .hook(hook, move |desk, _| {
                if desk.code() == "2" {
                    desk.wait_at(&inside)?;
                }
                Ok(Vec::new())
            });
        let house = House::with(&[("slow", program)]);
        let id = house.load(&PluginFolder::fake("p", "slow\n1"));
        house.write(&PluginFolder::fake("p", "slow\n2"));
        let (kernel, plugin) = (house.kernel.clone(), id.clone());
        let reload = thread::spawn(move || block_on(kernel.reload(&plugin)));
        assert!(gate.wait_for(1));
        Self { house, id, gate, reload }
    }
}

#[test]
fn a_reload_takes_what_stands_in_the_folder() {
    let house = House::new();
    let id = house.load(&version(1));
    let handle = house.action("p/version");
    assert_eq!(block_on(handle.call("")).unwrap(), b"1");
    house.write(&version(2).with("version", "1.1.0"));
    assert_eq!(block_on(handle.call("")).unwrap(), b"1");
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(block_on(handle.call("")).unwrap(), b"2");
    let status = house.kernel.status(&id).unwrap();
    assert_eq!(status.manifest.version.to_string(), "1.1.0");
    assert_eq!(status.generation.unwrap().number, 2);
    assert_eq!(house.fake.loaded(), ["p"]);
}

#[test]
fn the_old_generation_serves_until_the_new_one_is_ready() {
    let Replacement { house, id, gate, reload } = Replacement::held_in(Hook::Init);
    assert_eq!(house.state(&id), State::Updating);
    for _ in 0..10 {
        assert_eq!(house.call("p/version", "").unwrap(), "1");
        assert_eq!(house.call_inline("p/version", "").unwrap(), "1");
    }
    gate.open();
    reload.join().unwrap().unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "2");
    assert_eq!(house.state(&id), State::Running);
}

#[test]
fn a_failed_reload_keeps_the_old_generation() {
    let house = House::new();
    let id = house.load(&version(1));
    let broken = [
        PluginFolder::fake("p", "no-such-program"),
        version(2).with("config", json!({ "fail_in": ["init"] })),
        version(2).with("config", json!({ "fail_in": ["start"] })),
        version(2).with("actions", json!(["no-such-action"])),
    ];
    for folder in broken {
        house.write(&folder);
        let error = block_on(house.kernel.reload(&id)).unwrap_err();
        assert_eq!(error.record().plugin.as_deref(), Some("p"));
        assert_eq!(house.state(&id), State::Running);
        assert_eq!(house.call("p/version", "").unwrap(), "1");
        assert_eq!(house.kernel.status(&id).unwrap().last_error.unwrap().code(), error.code());
        assert!(eventually(|| house.fake.loaded() == ["p"] && house.fake.instances() == 1));
    }
    house.write(&version(3));
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "3");
}

#[test]
fn calls_in_flight_end_on_the_generation_they_began_on() {
    let gate = Gate::new();
    let inside = gate.clone();
    let program = Program::new().action("version", |desk, _, reply| reply.write(desk.code().as_bytes())).waiting(
        "slow",
        move |desk, _, reply| {
            desk.wait_at(&inside)?;
            reply.write(desk.code().as_bytes())
        },
    );
    let house = House::with(&[("slow", program)]);
    let id = house.load(&PluginFolder::fake("p", "slow\n1"));
    let slow = house.action("p/slow");
    let in_flight = thread::spawn(move || block_on(slow.call_with("", late())));
    assert!(gate.wait_for(1));
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let version = house.action("p/version");
            thread::spawn(move || block_on(version.call_with("", late())))
        })
        .collect();
    house.wait_for_queue(&id, 4);
    house.write(&PluginFolder::fake("p", "slow\n2"));
    let (kernel, plugin) = (house.kernel.clone(), id.clone());
    let reload = thread::spawn(move || block_on(kernel.reload(&plugin)));
    // Those that waited come along, and new calls are answered while the old one still runs.
    for call in waiting {
        assert_eq!(call.join().unwrap().unwrap(), b"2");
    }
    assert_eq!(house.call("p/version", "").unwrap(), "2");
    assert!(!in_flight.is_finished());
    gate.open();
    assert_eq!(in_flight.join().unwrap().unwrap(), b"1");
    reload.join().unwrap().unwrap();
    assert!(eventually(|| house.fake.instances() == 1));
}

#[test]
fn a_hundred_reloads_under_load_fail_no_call() {
    let house = House::new();
    for (program, instances) in [("probe", 1), ("polled", 3)] {
        let pool = json!({ "mode": "pool", "min": 1, "max": instances });
        let id = house.load(&PluginFolder::fake(program, &format!("{program}\n0")).with("instances", pool.clone()));
        let stop = Gate::new();
        let calls = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (house, stop, calls, echo) = (&house, &stop, &calls, house.action(&format!("{program}/echo")));
                let _ = house;
                scope.spawn(move || {
                    let mut reply = Vec::new();
                    while !stop.is_open() {
                        let answer = if thread % 2 == 0 {
                            reply.clear();
                            echo.call_inline(b"x", &mut reply).map(|()| reply.clone())
                        } else {
                            block_on(echo.call_with("x", late()))
                        };
                        assert_eq!(answer.unwrap(), b"x");
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let until = Until(&stop);
            for number in 1..=100 {
                let folder = PluginFolder::fake(program, &format!("{program}\n{number}"));
                house.write(&folder.with("instances", pool.clone()));
                let before = calls.load(Ordering::Relaxed);
                block_on(house.kernel.reload(&id)).unwrap();
                assert_eq!(house.call(&format!("{program}/version"), "").unwrap(), number.to_string());
                assert!(eventually(|| calls.load(Ordering::Relaxed) > before));
            }
            drop(until);
        });
        let status = house.kernel.status(&id).unwrap();
        assert_eq!(status.calls.calls, calls.load(Ordering::Relaxed) + 100);
        assert_eq!(status.calls.errors, 0);
        assert_eq!(house.fake.loaded().iter().filter(|plugin| *plugin == program).count(), 1);
    }
}

#[test]
fn reloading_what_does_not_run_loads_it() {
    let house = House::new();
    let id = house.register(&version(1));
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "1");
    block_on(house.kernel.stop(&id)).unwrap();
    house.write(&version(2));
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "2");
}

#[test]
fn a_folder_that_holds_another_plugin_is_not_taken() {
    let house = House::new();
    let id = house.load(&version(1));
    house.write(&version(2).with("id", "q"));
    assert_eq!(block_on(house.kernel.reload(&id)).unwrap_err().code(), Code::ManifestInvalid);
    assert_eq!(house.call("p/version", "").unwrap(), "1");
}

#[test]
fn an_old_generation_that_dies_during_its_replacement_leaves_no_half_state() {
    let Replacement { house, id, gate, reload } = Replacement::held_in(Hook::Start);
    house.call("p/abort", "").unwrap_err();
    house.wait_for(&id, State::Failed);
    gate.open();
    let reloaded = reload.join().unwrap();
    match house.state(&id) {
        State::Running => {
            reloaded.unwrap();
            assert_eq!(house.call("p/version", "").unwrap(), "2");
        }
        state => {
            assert_eq!(state, State::Failed);
            reloaded.unwrap_err();
            assert_eq!(house.call("p/version", "").unwrap_err().code(), Code::NotRunning);
            assert_eq!(house.call_inline("p/version", "").unwrap_err().code(), Code::NotRunning);
            assert!(eventually(|| house.fake.instances() == 0 && house.fake.loaded().is_empty()));
        }
    }
    block_on(house.kernel.restart(&id)).unwrap();
    assert_eq!(house.call("p/version", "").unwrap(), "2");
    assert!(eventually(|| house.fake.instances() == 1));
}
