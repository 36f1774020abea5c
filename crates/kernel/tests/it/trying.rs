//! Who is tried next when a provider does not answer, and who of equals is tried first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use midplane_contract::{Code, VersionRange};
use midplane_kernel::{CallOptions, Choice, Policy, block_on};
use midplane_testkit::{PluginFolder, Program, eventually};
use serde_json::{Value, json};

use crate::house::{House, name};
use crate::services::{defined, house, prefer, provider, service, who};

/// Says that it is over when it goes, also where a test fails.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Pays by calling the bank, and lets its errors pass; the count says how often it has begun to.
fn shop(begun: &Arc<AtomicU32>) -> Program {
    let begun = Arc::clone(begun);
    Program::new().waiting("pay", move |desk, _, reply| {
        begun.fetch_add(1, Ordering::SeqCst);
        let paid = desk.call("bank/echo", b"x").map_err(|error| {
            let record = error.record();
            desk.own_error(error.code().as_str(), &record.message, record.recoverable, Value::Null)
        });
        reply.write(&paid?)
    })
}

#[test]
fn idempotent_calls_survive_their_provider_and_others_say_what_happened() {
    let house = house();
    let actions = json!([{ "name": "who", "idempotent": true }, { "name": "die" }]);
    defined(&house, json!({ "name": "music", "version": "1.0.0", "actions": actions }));
    for id in ["a", "b", "c"] {
        house.load(&provider(id, "music"));
    }
    prefer(&house, "a", 1);
    let music = service(&house, Choice::LeastInFlight);
    let (over, answers) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|threads| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                threads.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        block_on(music.call("who", "")).unwrap();
                        answers.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let ends_them = Finally(&over);
        // The chosen one dies under load; what may have begun is not begun again.
        let died = block_on(music.call("die", "")).unwrap_err();
        assert_eq!(died.code(), Code::Crashed, "{died:?}");
        house.wait_for(&name("a"), midplane_contract::State::Failed);
        assert_ne!(who(&music), "a");
        let before = answers.load(Ordering::SeqCst);
        assert!(eventually(|| answers.load(Ordering::SeqCst) > before + 8));
        drop(ends_them);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
    assert!(house.kernel.providers("music", &VersionRange::any()).iter().all(|provider| provider.in_flight == 0));
}

#[test]
fn a_provider_that_waits_for_the_call_is_passed_over() {
    let house = house();
    let folder = |id| provider(id, "music").with("permissions", json!(["service.call"]));
    for id in ["a", "b"] {
        house.load(&folder(id));
        let policy = Policy { grants: vec!["service.call".parse().unwrap()], ..Policy::default() };
        house.kernel.set_policy(&name(id), policy);
    }
    let ask = json!(["service.call", { "interface": "music", "action": "who" }]).to_string();
    assert_eq!(house.call("a/find", &ask).unwrap(), "b");
    block_on(house.kernel.unload(&name("b"))).unwrap();
    let alone = house.call("a/find", &ask).unwrap_err();
    assert_eq!(alone.code(), Code::CallCycle, "{alone:?}");
}

#[test]
fn a_call_that_has_begun_is_not_begun_again_because_something_behind_it_does_not_run() {
    let begun = Arc::new(AtomicU32::new(0));
    let house = House::with(&[("shop", shop(&begun))]);
    let bank = house.probe("bank");
    for id in ["a", "b", "c"] {
        house.grant(&name(id), "plugin.call");
        let provides = json!({ "provides": ["shop"] });
        let asks = json!(["plugin.call"]);
        house.load(&PluginFolder::fake(id, "shop").with("permissions", asks).with("interfaces", provides));
    }
    let shop = house.kernel.service("shop", VersionRange::any(), Choice::RoundRobin);
    block_on(house.kernel.stop(&bank)).unwrap();
    assert_eq!(block_on(shop.call("pay", "")).unwrap_err().code(), Code::NotRunning);
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    let by_name = block_on(house.kernel.dispatch("pay", "", CallOptions::default())).unwrap_err();
    assert_eq!((by_name.code(), begun.load(Ordering::SeqCst)), (Code::NotRunning, 2));
    block_on(house.kernel.unload(&bank)).unwrap();
    block_on(house.kernel.unregister(&bank)).unwrap();
    assert_eq!(block_on(shop.call("pay", "")).unwrap_err().code(), Code::PluginNotFound);
    assert_eq!(begun.load(Ordering::SeqCst), 3);
}

#[test]
fn what_a_manifest_calls_idempotent_survives_its_provider_as_well() {
    for _ in 0..20 {
        let first = AtomicBool::new(true);
        let program = Program::new().action("get", move |desk, _, reply| match first.swap(false, Ordering::SeqCst) {
            true => Err(desk.die()),
            false => reply.write(b"got"),
        });
        let house = House::with(&[("dying", program)]);
        let actions = json!([{ "name": "get", "idempotent": true }]);
        for id in ["a", "b"] {
            let provides = json!({ "provides": ["music"] });
            house.load(&PluginFolder::fake(id, "dying").with("actions", actions.clone()).with("interfaces", provides));
        }
        let music = service(&house, Choice::RoundRobin);
        assert_eq!(block_on(music.call("get", "")).unwrap(), b"got");
    }
}

#[test]
fn equals_take_turns_among_the_calls_of_plugins_and_routes_too() {
    let house = house();
    for id in ["a", "b", "c"] {
        house.load(&provider(id, "music"));
    }
    house.grant(&name("user"), "service.call");
    house.load(&PluginFolder::fake("user", "source").with("permissions", json!(["service.call"])));
    let ask = json!(["service.call", { "interface": "music", "action": "who" }]).to_string();
    let each = |call: &dyn Fn() -> String| {
        let mut called: Vec<String> = (0..6).map(|_| call()).collect();
        called.sort();
        assert_eq!(called, ["a", "a", "b", "b", "c", "c"]);
    };
    each(&|| house.call("user/find", &ask).unwrap());
    let rule = json!({ "match": { "action": "whoever" }, "to": { "service": "music", "action": "who" } });
    house.kernel.set_route("whoever", serde_json::from_value(rule).unwrap()).unwrap();
    each(&|| {
        let who = block_on(house.kernel.dispatch("whoever", "", CallOptions::default())).unwrap();
        String::from_utf8(who).unwrap()
    });
}
