//! Everything at once. What is looked for is a wake-up that gets lost: then a thread stands still, and the test with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::{Code, PluginId};
use midplane_kernel::catalog::{InstallStatus, Installed};
use midplane_kernel::{Action, Kernel, Status, block_on};
use midplane_testkit::{Gate, PluginFolder, eventually};
use serde_json::json;

use crate::dependencies::{needing, on};
use crate::house::{House, Until, late, name};

/// Calls in one way until told to stop; refusals are fine where the plugin is being stopped, anything else is not.
fn caller(action: &Action, way: usize, stop: &Gate, refusable: bool) -> u64 {
    let mut answered = 0;
    let mut reply = Vec::new();
    while !stop.is_open() {
        reply.clear();
        let answer = match way % 4 {
            0 => action.call_inline(b"x", &mut reply).map(|()| reply.clone()),
            1 => action.call_inline_with(b"x", &mut reply, late()).map(|()| reply.clone()),
            2 => block_on(action.call_with("x", late())),
            _ => {
                let mut call = Box::pin(action.call_with("x", late()));
                for _ in 0..answered % 3 {
                    if block_on(poll_once(&mut call)).is_some() {
                        break;
                    }
                }
                drop(call);
                block_on(action.call_with("x", late()))
            }
        };
        match answer {
            Ok(answer) => {
                assert_eq!(answer, b"x");
                answered += 1;
            }
            Err(error) => assert!(refusable && error.code() == Code::NotRunning, "{error:?}"),
        }
    }
    answered
}

fn run(program: &str, max: u32, threads: usize, rounds: u32, refusable: bool, act: impl Fn(&House, u32)) -> u64 {
    let house = House::new();
    let pool = json!({ "mode": "pool", "min": 1, "max": max });
    house.load(&PluginFolder::fake("p", &format!("{program}\n1")).with("instances", pool));
    let (stop, answered) = (Gate::new(), AtomicU64::new(0));
    thread::scope(|scope| {
        for way in 0..threads {
            let (action, stop, answered) = (house.action("p/echo"), &stop, &answered);
            scope.spawn(move || answered.fetch_add(caller(&action, way, stop, refusable), Ordering::Relaxed));
        }
        let until = Until(&stop);
        for round in 0..rounds {
            act(&house, round);
        }
        drop(until);
    });
    assert_eq!(house.kernel.slot(&crate::house::name("p")).unwrap().waiting(), 0);
    assert_eq!(house.call("p/echo", "still here").unwrap(), "still here");
    answered.into_inner()
}

#[test]
fn callers_of_every_kind_share_an_actor() {
    for program in ["probe", "polled"] {
        run(program, 1, 8, 400, false, |house, _| {
            // Observers look into the seats; a look must not swallow a wake-up.
            for _ in 0..50 {
                let _ = house.kernel.statuses();
            }
        });
    }
}

#[test]
fn callers_of_every_kind_share_a_pool_while_it_is_reloaded() {
    for program in ["probe", "polled"] {
        let id = crate::house::name("p");
        run(program, 3, 8, 60, false, |house, _| {
            block_on(house.kernel.reload(&id)).unwrap();
            let _ = house.kernel.statuses();
        });
    }
}

#[test]
fn callers_are_answered_or_refused_while_a_plugin_stops_and_starts() {
    let id = crate::house::name("p");
    for max in [1, 3] {
        run("probe", max, 6, 60, true, |house, round| {
            block_on(house.kernel.stop(&id)).unwrap();
            block_on(house.kernel.start(&id)).unwrap();
            if round % 5 == 0 {
                block_on(house.kernel.health(&id)).unwrap();
                block_on(house.kernel.update_config(&id, serde_json::Map::new())).unwrap();
                block_on(house.kernel.reload(&id)).unwrap();
            }
        });
    }
}

#[test]
fn instances_that_break_under_load_are_replaced() {
    for max in [1, 3] {
        run("polled", max, 4, 200, false, |house, round| {
            let done = if round % 2 == 0 { house.call_inline("p/panic", "x") } else { house.call("p/panic", "x") };
            assert_eq!(done.unwrap_err().code(), Code::Panicked);
        });
    }
}

/// Operations of every kind on plugins that need each other, from many threads at once: none waits for another for ever, and
/// what is left can be ended and begun again.
#[test]
fn a_storm_of_operations_leaves_nothing_stuck_and_nothing_behind() {
    let house = House::new();
    let ids = ["a", "b", "c", "d"].map(name);
    for (id, needs) in [("a", &[][..]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])] {
        house.register(&needing(id, on(needs)));
    }
    let storm = |seed: u64, kernel: Kernel, ids: [PluginId; 4]| {
        // Marsaglia's xorshift: the same operations every day.
        let mut dice = 88_172_645_463_325_252 ^ (seed * 7919 + 1);
        for _ in 0..100 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let id = &ids[(dice % 4) as usize];
            // Most of them are refused by what the others have done.
            let _ = block_on(async {
                match (dice >> 8) % 9 {
                    0 => kernel.load(id).await,
                    1 => kernel.unload(id).await,
                    2 => kernel.stop(id).await,
                    3 => kernel.start(id).await,
                    4 => kernel.restart(id).await,
                    5 => kernel.reload(id).await,
                    6 => kernel.unload_cascade(id).await.map(drop),
                    7 => kernel.disable(id).await,
                    _ => kernel.enable(id).await,
                }
            });
        }
    };
    let threads: Vec<_> = (0..6)
        .map(|seed| {
            let (kernel, ids) = (house.kernel.clone(), ids.clone());
            thread::spawn(move || storm(seed, kernel, ids))
        })
        .collect();
    assert!(eventually(|| threads.iter().all(thread::JoinHandle::is_finished)), "they wait for each other");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for id in &ids {
        let _ = block_on(house.kernel.enable(id));
    }
    block_on(house.kernel.shutdown());
    assert!(eventually(|| house.fake.loaded().is_empty() && house.fake.instances() == 0));
    for id in &ids {
        block_on(house.kernel.ensure_loaded(id)).unwrap();
        assert_eq!(house.call(&format!("{id}/echo"), "x").unwrap(), "x");
    }
}

#[test]
fn a_storm_of_installations_leaves_nothing_half_way_and_nothing_behind() {
    let house = House::new();
    let plugins = [("a", &[][..]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])];
    let ids = plugins.map(|(id, _)| name(id));
    let paths = plugins.map(|(id, needs)| house.write(&needing(id, on(needs))));
    let storm = |seed: u64, kernel: Kernel, ids: [PluginId; 4], paths: [PathBuf; 4]| {
        // Marsaglia's xorshift: the same operations every day.
        let mut dice = 88_172_645_463_325_252 ^ (seed * 7919 + 1);
        for _ in 0..100 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let (id, path) = (&ids[(dice % 4) as usize], &paths[(dice % 4) as usize]);
            // Most of them are refused by what the others have done.
            let _ = block_on(async {
                match (dice >> 8) % 8 {
                    0..=2 => kernel.install(path).await.map(drop),
                    3 => kernel.uninstall(id).await,
                    4 => kernel.uninstall_cascade(id).await.map(drop),
                    5 => kernel.ensure_loaded(id).await,
                    6 => kernel.unload_cascade(id).await.map(drop),
                    _ => {
                        let mut given_up = Box::pin(kernel.install(path));
                        poll_once(&mut given_up).await.unwrap_or(Ok(id.clone())).map(drop)
                    }
                }
            });
        }
    };
    let threads: Vec<_> = (0..6)
        .map(|seed| {
            let (kernel, ids, paths) = (house.kernel.clone(), ids.clone(), paths.clone());
            thread::spawn(move || storm(seed, kernel, ids, paths))
        })
        .collect();
    assert!(eventually(|| threads.iter().all(thread::JoinHandle::is_finished)), "they wait for each other");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let records = || house.kernel.catalog().installed().unwrap();
    let agrees = |record: &Installed| match record.status {
        InstallStatus::Pending | InstallStatus::Updating => false,
        status => house.kernel.exists(&record.id) == (status == InstallStatus::Installed),
    };
    let noted = |status: &Status| records().iter().any(|record| record.id == status.id);
    let settled = || records().iter().all(agrees) && house.kernel.statuses().iter().all(noted);
    // What was given up is undone by and by.
    assert!(eventually(settled), "{:?}", records());
    block_on(house.kernel.shutdown());
    assert!(eventually(|| house.fake.loaded().is_empty() && house.fake.instances() == 0), "{:?}", house.fake.loaded());
    // One that was given up before it had begun may still come, and go.
    let is_empty = || {
        ids.iter().rev().for_each(|id| drop(block_on(house.kernel.uninstall(id))));
        house.kernel.statuses().is_empty() && records().is_empty()
    };
    assert!(eventually(is_empty), "{:?}", records());
    for (id, path) in ids.iter().zip(&paths) {
        assert!(eventually(|| block_on(house.kernel.install(path)).is_ok()), "{id}");
        assert_eq!(house.call(&format!("{id}/echo"), "x").unwrap(), "x");
    }
}
