//! Calls that are ended: by their deadline, or because nobody wants them any longer.

use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::Code;
use midplane_kernel::block_on;
use midplane_testkit::{PluginFolder, eventually};
use serde_json::json;

use crate::house::{House, late, pool, soon};

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
