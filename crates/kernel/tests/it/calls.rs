//! Calling: order, limits, deadlines, cancellation, concurrency.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::{Code, InstanceMode, Instances, Limits};
use midplane_kernel::block_on;
use midplane_testkit::{Gate, PluginFolder, Program, eventually};
use serde_json::{Value, json};

use crate::house::{House, late, soon};

fn pool(min: u32, max: u32) -> Value {
    serde_json::to_value(Instances { mode: InstanceMode::Pool, min, max }).unwrap()
}

/// A program whose `wait` waits at the gate and whose `echo` answers.
fn gated(gate: &Gate) -> Program {
    let gate = gate.clone();
    Program::new().action("echo", |_, input, reply| reply.write(input)).waiting("wait", move |desk, input, reply| {
        desk.wait_at(&gate)?;
        reply.write(input)
    })
}

#[test]
fn replies_come_back_both_ways() {
    let house = House::new();
    for program in ["probe", "polled"] {
        house.load(&PluginFolder::fake(program, program));
        assert_eq!(house.call(&format!("{program}/echo"), "hello").unwrap(), "hello");
        assert_eq!(house.call_inline(&format!("{program}/echo"), "hello").unwrap(), "hello");
        assert_eq!(house.call(&format!("{program}/echo"), "").unwrap(), "");
    }
}

#[test]
fn an_inline_reply_is_appended_to_what_the_buffer_holds() {
    let house = House::new();
    house.probe("p");
    let mut buffer = b"before ".to_vec();
    house.action("p/echo").call_inline(b"after", &mut buffer).unwrap();
    assert_eq!(buffer, b"before after");
}

#[test]
fn an_action_that_is_not_there_is_named_with_those_that_are() {
    let house = House::new();
    house.probe("p");
    for error in [house.call("p/nothing", "").unwrap_err(), house.call_inline("p/none", "").unwrap_err()] {
        assert_eq!(error.code(), Code::ActionNotFound);
        assert!(error.record().remedy.as_ref().unwrap().contains("echo"));
        assert_eq!(error.record().plugin.as_deref(), Some("p"));
    }
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_manifest_narrows_the_actions_that_callers_may_use() {
    let house = House::new();
    house.load(&PluginFolder::fake("p", "probe\n1").with("actions", json!(["echo"])));
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    assert_eq!(house.call("p/version", "").unwrap_err().code(), Code::ActionNotFound);
    assert_eq!(house.call_inline("p/version", "").unwrap_err().code(), Code::ActionNotFound);
}

#[test]
fn an_error_carries_plugin_runtime_generation_and_action() {
    let house = House::new();
    house.probe("p");
    let wanted = r#"{"code":"teapot","message":"short and stout","recoverable":true,"data":{"spout":1}}"#;
    for error in [house.call("p/fail", wanted).unwrap_err(), house.call_inline("p/fail", wanted).unwrap_err()] {
        let record = error.record();
        assert_eq!(record.code, Code::PluginError);
        assert_eq!(record.plugin.as_deref(), Some("p"));
        assert_eq!(record.runtime.as_deref(), Some("wasm/in-process"));
        assert_eq!(record.action.as_deref(), Some("fail"));
        assert_eq!(record.generation, Some(1));
        assert!(record.recoverable);
        assert_eq!(Value::Object(record.data.clone()), serde_json::from_str::<Value>(wanted).unwrap());
    }
}

#[test]
fn an_actor_serves_first_come_first_served() {
    let (gate, order) = (Gate::new(), Arc::new(Mutex::new(Vec::new())));
    let served = Arc::clone(&order);
    let program = gated(&gate).action("note", move |_, input, _| {
        served.lock().unwrap().push(String::from_utf8_lossy(input).into_owned());
        Ok(())
    });
    let house = House::with(&[("gated", program)]);
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let wait = house.action("p/wait");
    let holder = thread::spawn(move || block_on(wait.call("")));
    assert!(gate.wait_for(1));
    let callers: Vec<_> = (0..20)
        .map(|number| {
            let note = house.action("p/note");
            // Some wait on their own thread, others as futures: there is one queue for both.
            let caller = thread::spawn(move || match number % 2 {
                0 => block_on(note.call(number.to_string())).map(drop),
                _ => note.call_inline(number.to_string().as_bytes(), &mut Vec::new()),
            });
            house.wait_for_queue(&id, number + 1);
            caller
        })
        .collect();
    gate.open();
    holder.join().unwrap().unwrap();
    callers.into_iter().for_each(|caller| caller.join().unwrap().unwrap());
    assert_eq!(*order.lock().unwrap(), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_full_queue_is_overloaded_at_once() {
    let gate = Gate::new();
    let house = House::with(&[("gated", gated(&gate))]);
    house.limit("p", Limits { queue: Some(2), ..Limits::default() });
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let callers: Vec<_> = (0..3)
        .map(|number| {
            let wait = house.action("p/wait");
            let caller = thread::spawn(move || block_on(wait.call(vec![number])));
            assert!(gate.wait_for(1));
            house.wait_for_queue(&id, usize::from(number));
            caller
        })
        .collect();
    let error = house.call("p/wait", "").unwrap_err();
    assert_eq!(error.code(), Code::Overloaded);
    assert_eq!(error.record().data["limit"], 2);
    assert_eq!(house.call_inline("p/wait", "").unwrap_err().code(), Code::Overloaded);
    gate.open();
    for (number, caller) in (0..).zip(callers) {
        assert_eq!(caller.join().unwrap().unwrap(), [number]);
    }
}

#[test]
fn a_deadline_passes_while_a_call_waits_for_its_turn() {
    let gate = Gate::new();
    let house = House::with(&[("gated", gated(&gate))]);
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let wait = house.action("p/wait");
    let holder = thread::spawn(move || block_on(wait.call("")));
    assert!(gate.wait_for(1));
    let echo = house.action("p/echo");
    assert_eq!(block_on(echo.call_with("", soon())).unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(echo.call_inline_with(b"", &mut Vec::new(), soon()).unwrap_err().code(), Code::DeadlineExceeded);
    house.wait_for_queue(&id, 0);
    gate.open();
    holder.join().unwrap().unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_hang_ends_at_its_deadline_and_the_plugin_goes_on() {
    let house = House::new();
    for program in ["probe", "polled"] {
        house.load(&PluginFolder::fake(program, program));
        let hang = house.action(&format!("{program}/hang"));
        for _ in 0..3 {
            assert_eq!(block_on(hang.call_with("", soon())).unwrap_err().code(), Code::DeadlineExceeded);
            let inline = hang.call_inline_with(b"", &mut Vec::new(), soon());
            assert_eq!(inline.unwrap_err().code(), Code::DeadlineExceeded);
        }
        assert_eq!(house.call(&format!("{program}/echo"), "x").unwrap(), "x");
    }
}

#[test]
fn an_action_s_own_deadline_holds_where_the_caller_names_none() {
    let house = House::new();
    let actions = json!([{ "name": "hang", "deadline_ms": 20 }, "echo"]);
    house.load(&PluginFolder::fake("p", "probe\n1").with("actions", actions));
    assert_eq!(house.call("p/hang", "").unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(house.call_inline("p/hang", "").unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(block_on(house.action("p/hang").call_with("", late())).unwrap_err().code(), Code::DeadlineExceeded);
}

#[test]
fn dropping_a_call_frees_its_lane() {
    let house = House::new();
    for program in ["probe", "polled"] {
        let id = house.load(&PluginFolder::fake(program, program));
        let hang = house.action(&format!("{program}/hang"));
        let echo = house.action(&format!("{program}/echo"));
        // Dropped before its first poll, right after it, and once it really runs.
        for midway in 0..60 {
            let mut call = Box::pin(hang.call_with("", late()));
            if midway > 0 {
                assert!(block_on(poll_once(&mut call)).is_none());
            }
            if midway > 40 {
                assert!(eventually(|| house.kernel.status(&id).unwrap().calls.calls > 0));
                thread::yield_now();
            }
            drop(call);
            assert_eq!(block_on(echo.call_with("x", late())).unwrap(), b"x");
        }
    }
}

#[test]
fn dropping_a_call_that_waits_leaves_the_queue_to_the_others() {
    let gate = Gate::new();
    let house = House::with(&[("gated", gated(&gate))]);
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let wait = house.action("p/wait");
    let holder = thread::spawn(move || block_on(wait.call("")));
    assert!(gate.wait_for(1));
    let echo = house.action("p/echo");
    let mut first = Box::pin(echo.call_with("1", late()));
    assert!(block_on(poll_once(&mut first)).is_none());
    let other = echo.clone();
    let second = thread::spawn(move || block_on(other.call_with("2", late())));
    house.wait_for_queue(&id, 2);
    gate.open();
    holder.join().unwrap().unwrap();
    // The first may have been woken for the lane by now; going away, it must pass that on.
    drop(first);
    assert_eq!(second.join().unwrap().unwrap(), b"2");
    house.wait_for_queue(&id, 0);
}

#[test]
fn cancelling_a_call_never_ends_the_one_that_follows_it() {
    let house = House::new();
    house.probe("p");
    let (echo, hang) = (house.action("p/echo"), house.action("p/hang"));
    let others: Vec<_> = (0..3)
        .map(|_| {
            let echo = echo.clone();
            thread::spawn(move || {
                for _ in 0..300 {
                    assert_eq!(block_on(echo.call_with("x", late())).unwrap(), b"x");
                }
            })
        })
        .collect();
    while others.iter().any(|other| !other.is_finished()) {
        let mut call = Box::pin(hang.call_with("", late()));
        let _ = block_on(poll_once(&mut call));
        drop(call);
        let mut quick = Box::pin(echo.call_with("", late()));
        let _ = block_on(poll_once(&mut quick));
    }
    others.into_iter().for_each(|other| other.join().unwrap());
}

#[test]
fn a_pool_grows_to_its_maximum_and_not_beyond() {
    let gate = Gate::new();
    let house = House::with(&[("gated", gated(&gate))]);
    let id = house.load(&PluginFolder::fake("p", "gated").with("instances", pool(1, 4)));
    assert_eq!(house.fake.instances(), 1);
    let callers: Vec<_> = (0..12)
        .map(|_| {
            let wait = house.action("p/wait");
            thread::spawn(move || block_on(wait.call_with("x", late())))
        })
        .collect();
    assert!(gate.wait_for(4));
    house.wait_for_queue(&id, 8);
    assert_eq!(house.fake.instances(), 4);
    assert_eq!(gate.arrived(), 4);
    gate.open();
    callers.into_iter().for_each(|caller| assert_eq!(caller.join().unwrap().unwrap(), b"x"));
    assert_eq!(house.fake.instances(), 4);
    assert_eq!(gate.arrived(), 12);
}

#[test]
fn a_waiting_caller_of_a_pool_takes_whichever_lane_is_free() {
    let (slow, quick) = (Gate::new(), Gate::new());
    let (a, b) = (slow.clone(), quick.clone());
    let program = Program::new()
        .action("echo", |_, input, reply| reply.write(input))
        .waiting("slow", move |desk, _, _| desk.wait_at(&a))
        .waiting("quick", move |desk, _, _| desk.wait_at(&b));
    let house = House::with(&[("two", program)]);
    let id = house.load(&PluginFolder::fake("p", "two").with("instances", pool(2, 2)));
    let call = |action: &str| {
        let action = house.action(action);
        thread::spawn(move || block_on(action.call_with("x", late())))
    };
    let held = call("p/slow");
    assert!(slow.wait_for(1));
    let freed = call("p/quick");
    assert!(quick.wait_for(1));
    // A configuration change asks every instance, so it stands first in line for the busy one.
    let (kernel, plugin) = (house.kernel.clone(), id.clone());
    let change = thread::spawn(move || block_on(kernel.update_config(&plugin, serde_json::Map::new())));
    house.wait_for_queue(&id, 1);
    let waits = call("p/echo");
    house.wait_for_queue(&id, 2);
    quick.open();
    freed.join().unwrap().unwrap();
    assert_eq!(waits.join().unwrap().unwrap(), b"x");
    slow.open();
    held.join().unwrap().unwrap();
    change.join().unwrap().unwrap();
}

#[test]
fn sixty_four_calls_at_once_are_all_answered_with_their_own_reply() {
    let house = House::new();
    for (program, instances) in [("probe", pool(1, 1)), ("polled", pool(1, 8))] {
        house.load(&PluginFolder::fake(program, program).with("instances", instances));
        let echo = house.action(&format!("{program}/echo"));
        let callers: Vec<_> = (0..64)
            .map(|number: u32| {
                let echo = echo.clone();
                thread::spawn(move || block_on(echo.call_with(number.to_string(), late())))
            })
            .collect();
        let replies: HashSet<_> = callers.into_iter().map(|caller| caller.join().unwrap().unwrap()).collect();
        assert_eq!(replies.len(), 64);
    }
}

#[test]
fn inline_calls_from_many_threads_are_counted_exactly() {
    const THREADS: u64 = 8;
    const CALLS: u64 = 5_000;
    let house = House::new();
    for (id, instances) in [("actor", pool(1, 1)), ("crowd", pool(1, 3))] {
        let plugin = house.load(&PluginFolder::fake(id, "probe\n1").with("instances", instances));
        let counter = house.action(&format!("{id}/counter"));
        let fail = house.action(&format!("{id}/fail"));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let mut reply = Vec::new();
                    for number in 0..CALLS {
                        reply.clear();
                        counter.call_inline(b"", &mut reply).unwrap();
                        if number % 100 == 0 {
                            fail.call_inline(b"{}", &mut reply).unwrap_err();
                        }
                    }
                });
            }
        });
        let status = house.kernel.status(&plugin).unwrap();
        assert_eq!(status.calls.calls, THREADS * (CALLS + CALLS / 100));
        assert_eq!(status.calls.errors, THREADS * CALLS / 100);
        assert_eq!(status.waiting, 0);
        if id == "actor" {
            assert_eq!(house.call("actor/counter", "").unwrap(), (THREADS * CALLS + 1).to_string());
        }
    }
}

#[test]
fn payloads_beyond_their_limit_are_refused_both_ways() {
    let house = House::new();
    house.limit("p", Limits { payload: Some(100), ..Limits::default() });
    house.probe("p");
    let large = "x".repeat(101);
    assert_eq!(house.call("p/echo", &large).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(house.call_inline("p/echo", &large).unwrap_err().code(), Code::LimitExceeded);
    let chunks = r#"{"count":3,"size":40}"#;
    assert_eq!(house.call("p/chunks", chunks).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(house.call("p/echo", &large[..100]).unwrap().len(), 100);
}

#[test]
fn sixteen_mebibytes_pass_both_ways() {
    let house = House::new();
    house.probe("p");
    let large = vec![7_u8; 16 << 20];
    assert_eq!(block_on(house.kernel.call("p/echo", large.clone())).unwrap(), large);
    let mut reply = Vec::new();
    house.action("p/echo").call_inline(&large, &mut reply).unwrap();
    assert_eq!(reply, large);
}

#[test]
fn eight_hangs_do_not_keep_two_executor_threads_from_others() {
    let house = House::new();
    for program in ["probe", "polled"] {
        house.load(&PluginFolder::fake(program, program).with("instances", pool(1, 8)));
        house.load(&PluginFolder::fake(&format!("{program}-other"), program));
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let hang = house.action(&format!("{program}/hang"));
        let echo = house.action(&format!("{program}-other/echo"));
        tokio.block_on(async move {
            let hangs: Vec<_> = (0..8)
                .map(|_| {
                    let hang = hang.clone();
                    tokio::spawn(async move { hang.call_with("", soon()).await })
                })
                .collect();
            for _ in 0..100 {
                assert_eq!(echo.call_with("x", late()).await.unwrap(), b"x");
            }
            for hang in hangs {
                assert_eq!(hang.await.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
            }
        });
    }
}

#[test]
fn an_unknown_action_among_many_callers_holds_nobody_up() {
    let house = House::new();
    house.probe("p");
    thread::scope(|scope| {
        for thread in 0..6 {
            let house = &house;
            scope.spawn(move || {
                for number in 0..2_000 {
                    if thread % 2 == 0 {
                        house.call_inline("p/echo", "x").unwrap();
                    } else {
                        let name = format!("p/unknown-{thread}-{}", number % 7);
                        assert_eq!(house.call_inline(&name, "").unwrap_err().code(), Code::ActionNotFound);
                    }
                }
            });
        }
    });
}

#[test]
fn a_panic_in_the_runtime_itself_is_an_error_and_leaves_the_lane_in_use() {
    let program = Program::new()
        .action("echo", |_, input, reply| reply.write(input))
        .waiting("unwind", |_, _, _| panic!("as asked"));
    let house = House::with(&[("unwinding", program)]);
    house.load(&PluginFolder::fake("p", "unwinding"));
    assert_eq!(house.call("p/unwind", "").unwrap_err().code(), Code::Internal);
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}
