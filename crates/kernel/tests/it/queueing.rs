//! Calls that wait for their turn.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use futures_lite::future::poll_once;
use midplane_contract::{Code, Limits, PluginId, Result};
use midplane_kernel::block_on;
use midplane_testkit::{Gate, PluginFolder};

use crate::house::{House, gated, late, soon};

/// Loads the gated plugin and has a call hold its one instance until the gate opens.
fn held(house: &House, gate: &Gate) -> (PluginId, JoinHandle<Result<Vec<u8>>>) {
    let id = house.load(&PluginFolder::fake("p", "gated"));
    let wait = house.action("p/wait");
    let holder = thread::spawn(move || block_on(wait.call("")));
    assert!(gate.wait_for(1));
    (id, holder)
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
    let (id, holder) = held(&house, &gate);
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
    let (id, holder) = held(&house, &gate);
    let echo = house.action("p/echo");
    assert_eq!(block_on(echo.call_with("", soon())).unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(echo.call_inline_with(b"", &mut Vec::new(), soon()).unwrap_err().code(), Code::DeadlineExceeded);
    house.wait_for_queue(&id, 0);
    gate.open();
    holder.join().unwrap().unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn dropping_a_call_that_waits_leaves_the_queue_to_the_others() {
    let gate = Gate::new();
    let house = House::with(&[("gated", gated(&gate))]);
    let (id, holder) = held(&house, &gate);
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
