//! The end of everything.

use std::thread;

use midplane_contract::{Code, Hook, State};
use midplane_kernel::{Kernel, block_on};
use midplane_testkit::{Gate, PluginFolder, Program, eventually};
use serde_json::json;

use crate::branches::meeting_in;
use crate::dependencies::{needing, on};
use crate::house::{House, Until, name};

fn ending(house: &House) -> thread::JoinHandle<()> {
    let kernel: Kernel = house.kernel.clone();
    thread::spawn(move || block_on(kernel.shutdown()))
}

#[test]
fn what_does_not_need_each_other_is_stopped_at_once() {
    let gate = Gate::new();
    let house = House::with(&[("meeting", meeting_in(Hook::Stop, &gate, 3))]);
    let _until = Until(&gate);
    house.register(&needing("base", on(&[])));
    for id in ["left", "right", "apart"] {
        let needs = if id == "apart" { on(&[]) } else { on(&["base"]) };
        house.load(&PluginFolder::fake(id, "meeting").with("dependencies", needs));
    }
    let shutdown = ending(&house);
    assert!(eventually(|| shutdown.is_finished()), "one waits for another to end that waits for it to begin");
    shutdown.join().unwrap();
    assert!(house.fake.loaded().is_empty());
}

#[test]
fn one_that_hangs_in_its_stop_holds_up_nobody_but_what_it_needs() {
    let gate = Gate::new();
    let house = House::with(&[("stuck", Program::echoing().waits_in(Hook::Stop, &gate))]);
    let _until = Until(&gate);
    house.register(&needing("base", on(&[])));
    house.load(&PluginFolder::fake("stuck", "stuck").with("dependencies", on(&["base"])));
    for n in 0..98 {
        let needs = if n == 0 { on(&[]) } else { on(&[&format!("p{}", (n - 1) / 2)]) };
        house.load(&needing(&format!("p{n}"), needs));
    }
    let shutdown = ending(&house);
    let left = || {
        let mut left = house.fake.loaded();
        left.sort();
        left
    };
    assert!(eventually(|| left() == ["base", "stuck"]), "{:?}", left());
    assert_eq!(house.state(&name("base")), State::Running);
    gate.open();
    shutdown.join().unwrap();
    assert!(left().is_empty());
}

#[test]
fn what_only_uses_another_goes_before_it_as_well() {
    let house = House::new();
    let uses = |id: &str| json!([{ "id": id, "optional": true }]);
    house.load(&needing("a", on(&[])));
    house.load(&needing("b", uses("a")));
    // Two that use each other go in some order.
    house.load(&needing("x", uses("y")));
    house.load(&needing("y", uses("x")));
    let unloaded = house.kernel.bus().subscribe("plugin.unloaded").unwrap();
    block_on(house.kernel.shutdown());
    let order: Vec<String> = std::iter::from_fn(|| unloaded.try_next())
        .map(|event| event.data()["plugin_id"].as_str().unwrap().to_owned())
        .collect();
    let at = |id: &str| order.iter().position(|gone| gone == id).unwrap();
    assert!(order.len() == 4 && at("b") < at("a"), "{order:?}");
}

#[test]
fn what_is_being_loaded_goes_as_well_and_nothing_is_loaded_meanwhile() {
    let gate = Gate::new();
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
    let _until = Until(&gate);
    let slow = house.register(&PluginFolder::fake("slow", "slow"));
    let top = house.register(&needing("top", on(&["slow"])));
    let other = house.register(&needing("other", on(&[])));
    let (kernel, id) = (house.kernel.clone(), top.clone());
    let load = thread::spawn(move || block_on(kernel.load(&id)));
    assert!(gate.wait_for(1));
    let stopping = house.kernel.bus().subscribe("host.stopping").unwrap();
    let shutdown = ending(&house);
    let refused = |done: Result<(), midplane_contract::Error>| done.is_err_and(|e| e.code() == Code::NotRunning);
    assert!(eventually(|| stopping.try_next().is_some()));
    assert!(eventually(
        || refused(block_on(house.kernel.load(&other))) || block_on(house.kernel.unload(&other)).is_err()
    ));
    gate.open();
    shutdown.join().unwrap();
    assert!(load.join().unwrap().is_err());
    assert_eq!([&slow, &top, &other].map(|id| house.state(id)), [State::Registered; 3]);
    assert!(house.fake.loaded().is_empty());
    // A kernel that has ended everything can begin again.
    block_on(house.kernel.load(&top)).unwrap();
    assert_eq!(house.state(&slow), State::Running);
}
