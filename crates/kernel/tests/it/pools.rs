//! Many calls at once, on one instance and on several.

use std::collections::HashSet;
use std::thread;

use midplane_kernel::block_on;
use midplane_testkit::{Gate, PluginFolder, Program};

use crate::house::{House, gated, late, pool};

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
fn who_takes_what_was_made_for_another_leaves_no_caller_waiting_below_the_maximum() {
    for _ in 0..20 {
        let gate = Gate::new();
        let house = House::with(&[("gated", gated(&gate))]);
        house.load(&PluginFolder::fake("p", "gated").with("instances", pool(1, 64)));
        let wait = house.action("p/wait");
        thread::scope(|scope| {
            let call = || block_on(wait.call_with("x", late()));
            let callers: Vec<_> = (0..64).map(|_| scope.spawn(call)).collect();
            let all = gate.wait_for(64);
            gate.open();
            assert!(all, "{} of 64 callers were given an instance", gate.arrived());
            callers.into_iter().for_each(|caller| drop(caller.join().unwrap().unwrap()));
        });
    }
}

#[test]
fn a_waiting_caller_of_a_pool_takes_whichever_lane_is_free() {
    let (slow, quick) = (Gate::new(), Gate::new());
    let (a, b) = (slow.clone(), quick.clone());
    let program = Program::echoing()
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
