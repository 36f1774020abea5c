//! Everything at once. What is looked for is a wake-up that gets lost: then a thread stands still, and the test with it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::Code;
use midplane_kernel::{Action, block_on};
use midplane_testkit::{Gate, PluginFolder};
use serde_json::json;

use crate::house::{House, Until, late};

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
