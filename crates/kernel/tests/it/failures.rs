//! Instances and plugins that break, and what becomes of the others.

use std::sync::{Arc, Mutex};

use midplane_contract::{Code, Error, Hook, State};
use midplane_kernel::{Host, Recovery, Strategy, block_on};
use midplane_testkit::{Fake, PluginFolder, Program, eventually, probe};
use serde_json::json;

use crate::house::House;

/// Restarts, or does whatever else it is told, and notes what it saw.
struct Always(Recovery, Mutex<Vec<Code>>);

impl Strategy for Always {
    fn handle(&self, error: &Error) {
        self.1.lock().unwrap().push(error.code());
    }

    fn recovery(&self, _: &Error) -> Recovery {
        self.0
    }
}

fn supervised(recovery: Recovery) -> (House, Arc<Always>) {
    let strategy = Arc::new(Always(recovery, Mutex::default()));
    let fake = Fake::new().program("probe", probe());
    let house = House::over(fake, |builder| builder.on_failure(Arc::clone(&strategy) as Arc<dyn Strategy>));
    (house, strategy)
}

#[test]
fn a_panic_costs_the_instance_and_nothing_else() {
    let house = House::new();
    for program in ["probe", "polled"] {
        let id = house.load(&PluginFolder::fake(program, program));
        house.probe(&format!("{program}-sibling"));
        for inline in [true, false] {
            assert_eq!(house.call(&format!("{program}/counter"), "").unwrap(), "1");
            let address = format!("{program}/panic");
            let error = if inline { house.call_inline(&address, "ouch") } else { house.call(&address, "ouch") };
            let error = error.unwrap_err();
            assert_eq!((error.code(), error.record().message.as_str()), (Code::Panicked, "ouch"));
            assert_eq!(house.state(&id), State::Running);
        }
        assert_eq!(house.call(&format!("{program}/counter"), "").unwrap(), "1");
        assert_eq!(house.call(&format!("{program}-sibling/echo"), "x").unwrap(), "x");
        assert_eq!(house.kernel.status(&id).unwrap().generation.unwrap().number % 2, 1);
    }
    assert_eq!(house.fake.instances(), 4);
}

#[test]
fn a_death_fails_the_plugin_and_spares_its_siblings() {
    let house = House::new();
    let id = house.probe("p");
    let sibling = house.probe("sibling");
    let error = house.call("p/abort", "").unwrap_err();
    assert_eq!(error.code(), Code::Crashed);
    assert_eq!(error.record().data["signal"], 9);
    house.wait_for(&id, State::Failed);
    let refused = house.call_inline("p/echo", "").unwrap_err();
    assert_eq!(refused.code(), Code::NotRunning);
    assert_eq!(refused.record().data["cause_code"], "crashed");
    assert_eq!(house.state(&sibling), State::Running);
    assert_eq!(house.call("sibling/echo", "x").unwrap(), "x");
    assert!(eventually(|| house.fake.loaded() == ["sibling"]));
}

#[test]
fn one_instance_of_a_pool_dies_and_the_others_go_on() {
    let house = House::new();
    let pool = json!({ "mode": "pool", "min": 3, "max": 3 });
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("instances", pool));
    house.call("p/abort", "").unwrap_err();
    for _ in 0..20 {
        assert_eq!(house.call("p/echo", "x").unwrap(), "x");
        assert_eq!(house.call_inline("p/echo", "x").unwrap(), "x");
    }
    assert_eq!(house.state(&id), State::Running);
    assert_eq!(house.kernel.status(&id).unwrap().last_error.unwrap().code(), Code::Crashed);
}

#[test]
fn a_death_that_nobody_was_waiting_for_is_reported_by_the_runtime() {
    let hosts: Arc<Mutex<Vec<Arc<dyn Host>>>> = Arc::default();
    let seen = Arc::clone(&hosts);
    let program = Program::echoing().hook(Hook::Init, move |desk, _| {
        seen.lock().unwrap().push(Arc::clone(&desk.context().host));
        Ok(Vec::new())
    });
    let strategy = Arc::new(Always(Recovery::LeaveFailed, Mutex::default()));
    let fake = Fake::new().program("reporting", program);
    let house = House::over(fake, |builder| builder.on_failure(Arc::clone(&strategy) as Arc<dyn Strategy>));
    let id = house.load(&PluginFolder::fake("p", "reporting"));
    let events = house.kernel.bus().subscribe("plugin.*").unwrap();
    let host = hosts.lock().unwrap().pop().unwrap();
    // The fake's instance itself still thinks that it lives; a real one would not.
    host.lost(Error::new(Code::Crashed, "killed from outside").with("signal", 9));
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).map(|event| event.topic().to_owned()).collect();
    assert_eq!(told.first().map(String::as_str), Some("plugin.crashed"));
    assert_eq!(house.kernel.status(&id).unwrap().last_error.unwrap().code(), Code::Crashed);
    // Of a generation that is gone nothing is taken seriously.
    block_on(house.kernel.reload(&id)).unwrap();
    host.lost(Error::new(Code::Crashed, "late"));
    assert_eq!(house.state(&id), State::Running);
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_strategy_restarts_what_crashed() {
    let (house, strategy) = supervised(Recovery::Restart);
    let id = house.probe("p");
    for round in 1..=5 {
        let mut restarted = house.kernel.bus().subscribe("plugin.restarted").unwrap();
        house.call("p/abort", "").unwrap_err();
        assert!(restarted.next_blocking().is_some());
        house.wait_for(&id, State::Running);
        assert_eq!(house.call("p/counter", "").unwrap(), "1");
        assert_eq!(strategy.1.lock().unwrap().len(), round);
    }
    assert_eq!(house.kernel.status(&id).unwrap().load_count, 6);
    assert!(eventually(|| house.fake.instances() == 1));
}

#[test]
fn a_quarantined_plugin_is_let_out_by_unloading_it() {
    let (house, _) = supervised(Recovery::Quarantine);
    let id = house.probe("p");
    house.call("p/abort", "").unwrap_err();
    house.wait_for(&id, State::Quarantined);
    for refused in
        [block_on(house.kernel.load(&id)), block_on(house.kernel.restart(&id)), block_on(house.kernel.reload(&id))]
    {
        assert_eq!(refused.unwrap_err().code(), Code::NotRunning);
        assert_eq!(house.state(&id), State::Quarantined);
    }
    block_on(house.kernel.unload(&id)).unwrap();
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn an_instance_that_cannot_be_replaced_fails_the_plugin_instead_of_hanging_its_callers() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let program =
        Program::echoing().action("panic", |desk, _, _| Err(desk.panic("once"))).hook(Hook::Init, move |desk, _| {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(Vec::new());
            }
            Err(desk.own_error("no_more", "only one instance can be made", false, serde_json::Value::Null))
        });
    let house = House::with(&[("single", program)]);
    let id = house.load(&PluginFolder::fake("p", "single"));
    house.call("p/panic", "").unwrap_err();
    let error = house.call("p/echo", "").unwrap_err();
    assert_eq!(error.code(), Code::NotRunning);
    assert_eq!(error.record().data["cause_code"], "plugin_error");
    assert_eq!(house.state(&id), State::Failed);
}

#[test]
fn a_death_while_others_wait_fails_the_plugin_and_nobody_makes_another_instance() {
    for round in 0..30 {
        let house = House::new();
        let id = house.probe("p");
        std::thread::scope(|threads| {
            for _ in 0..6 {
                // Until it has failed; what they get then is of no interest here.
                threads.spawn(|| (0..2_000).find(|_| house.call("p/counter", "").is_err()));
            }
            assert_eq!(house.call("p/abort", "").unwrap_err().code(), Code::Crashed, "in round {round}");
        });
        house.wait_for(&id, State::Failed);
    }
}
