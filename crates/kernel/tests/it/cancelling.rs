//! Calls that are ended: by their deadline, or because nobody wants them any longer.

use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::Code;
use midplane_kernel::bus::{Options, Overflow};
use midplane_kernel::{Policy, block_on};
use midplane_testkit::{PATIENCE, PluginFolder, eventually};
use serde_json::json;

use crate::house::{House, late, name, pool, soon};

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
fn dropping_a_call_ends_what_it_waits_for_down_to_the_last_link() {
    let house = House::new();
    let asks = json!(["plugin.call", "service.call", "bus.request", "bus.subscribe"]);
    let grants =
        || ["plugin.call", "service.call", "bus.request", "bus.subscribe"].map(|one| one.parse().unwrap()).to_vec();
    for id in ["a", "b"] {
        house.kernel.set_policy(&name(id), Policy { grants: grants(), ..Policy::default() });
        house.load(&PluginFolder::fake(id, "probe\n1").with("permissions", asks.clone()));
    }
    let provides = json!({ "provides": ["hanging"] });
    let last = house.load(&PluginFolder::fake("c", "probe\n1").with("interfaces", provides));
    let by_call = json!({ "address": "c/hang" });
    let args = json!({ "interface": "hanging", "action": "hang" });
    let by_service = json!({ "function": "service.call", "args": args });
    for (through, innermost) in [("b/call", by_call), ("b/host", by_service)] {
        let calls = house.kernel.status(&last).unwrap().calls.calls;
        let outermost = house.action("a/call");
        let input = json!({ "address": through, "input": innermost }).to_string();
        let mut call = Box::pin(outermost.call_with(input, late()));
        assert!(eventually(|| {
            assert!(block_on(poll_once(&mut call)).is_none());
            house.kernel.status(&last).unwrap().calls.calls > calls
        }));
        drop(call);
        for id in ["c", "b", "a"] {
            assert_eq!(block_on(house.action(&format!("{id}/echo")).call_with("x", late())).unwrap(), b"x", "{id}");
        }
    }
}

#[test]
fn a_publisher_that_waits_for_room_stops_waiting_when_nobody_waits_for_it() {
    let house = House::new();
    house.grant(&name("p"), "bus.publish");
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(["bus.publish"])));
    let full = Options::new().queue(1).overflow(Overflow::Block(PATIENCE * 60));
    let full = house.kernel.bus().subscribe_with("t", full).unwrap();
    house.kernel.bus().publish("t", json!(0)).unwrap();
    let publish = house.action("p/host");
    let input = json!({ "function": "bus.publish", "args": { "topic": "t" }, "payload": "1" }).to_string();
    let error = block_on(publish.call_with(input, soon())).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error:?}");
    assert!(eventually(|| house.kernel.status(&id).unwrap().waiting == 0));
    assert_eq!(block_on(house.action("p/echo").call_with("x", late())).unwrap(), b"x");
    drop(full);
}
