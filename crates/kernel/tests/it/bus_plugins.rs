//! The bus, as plugins use it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use midplane_contract::{Code, Error, Hook, HostFunction, Limits, Permission, PluginId, State};
use midplane_kernel::bus::{Message, Options, Overflow};
use midplane_kernel::{EventCounts, Policy, block_on};
use midplane_testkit::{Gate, PATIENCE, PluginFolder, Program, eventually, probe};
use serde_json::{Value, json};

use crate::house::{House, Until, name, pool, soon};

/// What the plugins of a test have received, each with the generation that did.
type Seen = Arc<Mutex<Vec<(u64, Value)>>>;

/// A probe that notes what it gets, and answers what a request asks it to.
fn noting(seen: &Seen) -> Program {
    let seen = Arc::clone(seen);
    probe().hook(Hook::Event, move |desk, input| {
        let event: Value = serde_json::from_slice(input).unwrap();
        let data = event.get("data").cloned().unwrap_or_default();
        seen.lock().unwrap().push((desk.context().generation, data.clone()));
        if let Some(address) = data.get("call").and_then(Value::as_str) {
            return desk
                .call(address, b"")
                .map_err(|error| desk.own_error(error.code().as_str(), &error.record().message, false, Value::Null));
        }
        if data.get("hang").is_some() {
            desk.hang()?;
        }
        if data.get("fail").is_some() {
            return Err(desk.own_error("wrong", "asked to fail", false, Value::Null));
        }
        Ok(data.get("answer").and_then(Value::as_str).unwrap_or_default().as_bytes().to_vec())
    })
}

fn house(seen: &Seen) -> House {
    House::with(&[("noting", noting(seen)), ("early", early(noting(seen))), ("deaf", deaf())])
}

/// A program that takes no events.
fn deaf() -> Program {
    Program::new().waiting("subscribe", |desk, _, _| {
        let asked = desk.host(HostFunction::BusSubscribe, &json!({ "topic": "t" }), b"");
        asked
            .map(drop)
            .map_err(|error| desk.own_error(error.code().as_str(), &error.record().message, false, Value::Null))
    })
}

/// The same that subscribes in `init`, and is broken where its code says so.
fn early(program: Program) -> Program {
    let subscribing = program.hook(Hook::Init, |desk, _| {
        let topic = if desk.code() == "1" { "first" } else { "second" };
        desk.host(HostFunction::BusSubscribe, &json!({ "topic": topic }), b"")
    });
    subscribing.hook(Hook::Start, |desk, _| match desk.code() {
        "broken" => Err(desk.own_error("broken", "cannot start", false, Value::Null)),
        _ => Ok(Vec::new()),
    })
}

fn folder(id: &str, program: &str) -> PluginFolder {
    PluginFolder::fake(id, program).with("permissions", json!(["bus.publish", "bus.subscribe", "plugin.call"]))
}

fn grant(house: &House, id: &str, grants: &[&str]) {
    let grants = grants.iter().map(|one| Permission::parse(one).unwrap()).collect();
    house.kernel.set_policy(&name(id), Policy { grants, ..Policy::default() });
}

/// A running plugin that may do everything with the bus.
fn plugin(house: &House, id: &str) -> PluginId {
    grant(house, id, &["bus.publish", "bus.subscribe", "plugin.call"]);
    house.load(&folder(id, "noting\n1"))
}

fn host(house: &House, id: &str, function: &str, args: Value, payload: &str) -> Result<String, Error> {
    let ask = json!({ "function": function, "args": args, "payload": payload });
    house.call(&format!("{id}/host"), &ask.to_string())
}

fn subscribe(house: &House, id: &str, topic: &str) {
    host(house, id, "bus.subscribe", json!({ "topic": topic }), "").unwrap();
}

fn own_code(error: &Error) -> &str {
    error.code().as_str()
}

fn data(seen: &Seen) -> Vec<Value> {
    seen.lock().unwrap().iter().map(|(_, data)| data.clone()).collect()
}

fn events(house: &House, id: &str) -> EventCounts {
    house.kernel.status(&name(id)).unwrap().events
}

fn processed(house: &House, id: &str, count: u64) {
    assert!(eventually(|| events(house, id).processed == count), "{:?}", events(house, id));
}

#[test]
fn a_plugin_gets_the_events_it_subscribed_to_in_order_among_its_calls() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    plugin(&house, "b");
    subscribe(&house, "a", "orders.*");
    for number in 0..100 {
        house.kernel.bus().publish("orders.new", json!(number)).unwrap();
        assert_eq!(house.call("a/echo", "x").unwrap(), "x");
    }
    house.kernel.bus().publish("other", json!("not this")).unwrap();
    host(&house, "b", "bus.publish", json!({ "topic": "orders.old" }), "100").unwrap();
    processed(&house, "a", 101);
    assert_eq!(data(&seen), (0..101).map(Value::from).collect::<Vec<_>>());
    let counts = events(&house, "a");
    assert_eq!((counts.errors, counts.dropped, counts.waiting), (0, 0, 0));
    assert!(counts.last_activity.is_some());
    assert_eq!(counts.subscriptions, ["orders.*"]);
    let stats = house.kernel.bus().stats();
    let own = stats.subscribers.iter().find(|one| one.name == "a").unwrap();
    assert_eq!((own.delivered, own.dropped), (101, 0));
    host(&house, "a", "bus.unsubscribe", json!({ "topic": "orders.*" }), "").unwrap();
    assert_eq!(house.kernel.bus().publish("orders.new", json!(0)).unwrap().delivered, 0);
}

#[test]
fn errors_in_the_event_hook_are_counted_and_the_plugin_goes_on() {
    let seen = Seen::default();
    let house = house(&seen);
    let id = plugin(&house, "a");
    subscribe(&house, "a", "t");
    house.kernel.bus().publish("t", json!({ "fail": 1 })).unwrap();
    house.kernel.bus().publish("t", json!(2)).unwrap();
    processed(&house, "a", 2);
    assert_eq!(events(&house, "a").errors, 1);
    let last = house.kernel.status(&id).unwrap().last_error.unwrap();
    assert_eq!(last.record().data.get("code").unwrap(), "wrong");
    assert_eq!(house.state(&id), State::Running);
}

#[test]
fn a_plugin_that_hangs_in_its_event_hook_is_ended_and_holds_up_nobody() {
    let seen = Seen::default();
    let house = house(&seen);
    let limits = Limits { hook_deadline_ms: Some(200), ..Limits::default() };
    let grants = vec![Permission::parse("bus.subscribe").unwrap()];
    house.kernel.set_policy(&name("a"), Policy { limits, grants, ..Policy::default() });
    house.load(&folder("a", "noting\n1"));
    subscribe(&house, "a", "t");
    house.kernel.bus().publish("t", json!({ "hang": 1 })).unwrap();
    assert!(eventually(|| data(&seen).len() == 1));
    let other = house.kernel.bus().subscribe("t").unwrap();
    for number in 0..2_000 {
        house.kernel.bus().publish("t", json!(number)).unwrap();
        assert!(other.try_next().is_some());
    }
    assert!(eventually(|| data(&seen).last() == Some(&json!(1999))), "{:?}", events(&house, "a"));
    let counts = events(&house, "a");
    assert_eq!((counts.errors, counts.processed + counts.dropped), (1, 2_001));
    assert!(house.kernel.status(&name("a")).unwrap().last_error.unwrap().code() == Code::DeadlineExceeded);
}

#[test]
fn nobody_hears_what_was_not_granted_to_them() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    grant(&house, "a", &["bus.subscribe:orders.*", "!bus.subscribe:orders.secret", "bus.publish:orders.new"]);
    for topic in ["news", "*", "plugin.*"] {
        let error = host(&house, "a", "bus.subscribe", json!({ "topic": topic }), "").unwrap_err();
        assert_eq!(own_code(&error), "permission_denied", "{topic}");
    }
    // The pattern is covered by the grant, and one of its topics is denied all the same.
    subscribe(&house, "a", "orders.*");
    for topic in ["orders.secret", "orders.public"] {
        house.kernel.bus().publish(topic, json!(topic)).unwrap();
    }
    processed(&house, "a", 1);
    assert_eq!(data(&seen), ["orders.public"]);
    // What is taken back counts at once.
    grant(&house, "a", &[]);
    house.kernel.bus().publish("orders.public", json!("again")).unwrap();
    assert!(eventually(|| events(&house, "a").waiting == 0));
    assert_eq!(events(&house, "a").processed, 1);
}

#[test]
fn the_hosts_events_are_for_those_who_may_and_cannot_be_forged() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    grant(&house, "a", &["bus.subscribe:module.started", "bus.publish"]);
    subscribe(&house, "a", "module.started");
    plugin(&house, "b");
    processed(&house, "a", 1);
    assert_eq!(data(&seen)[0]["module_id"], "b");
    for topic in ["plugin.crashed", "module.installed", "host.stopping"] {
        let error = host(&house, "a", "bus.publish", json!({ "topic": topic }), "1").unwrap_err();
        assert_eq!(own_code(&error), "permission_denied", "{topic}");
    }
    let error = host(&house, "a", "bus.publish", json!({ "topic": "a..b" }), "1").unwrap_err();
    assert_eq!(own_code(&error), "invalid_input");
}

#[test]
fn plugins_ask_each_other_and_delivery_errors_reach_the_one_who_asks() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    plugin(&house, "b");
    let ask = |data: Value| host(&house, "a", "bus.request", json!({ "topic": "t" }), &data.to_string());
    assert_eq!(own_code(&ask(json!({ "answer": "x" })).unwrap_err()), "peer_gone");
    subscribe(&house, "b", "t");
    assert_eq!(ask(json!({ "answer": "hello" })).unwrap(), "hello");
    assert_eq!(ask(json!({})).unwrap(), "", "somebody was there and had nothing to say");
    let failed = ask(json!({ "fail": 1 })).unwrap_err();
    assert_eq!((own_code(&failed), failed.record().plugin.as_deref()), ("plugin_error", Some("b")), "{failed:?}");
    assert_eq!(failed.record().data.get("code").unwrap(), "wrong");
    let short = json!({ "topic": "t", "deadline_ms": 30 });
    let late = host(&house, "a", "bus.request", short, &json!({ "hang": 1 }).to_string()).unwrap_err();
    assert_eq!(own_code(&late), "deadline_exceeded");
    // The one that was asked goes on.
    assert_eq!(ask(json!({ "answer": "again" })).unwrap(), "again");
    // The program around the kernel asks the same way.
    let answer = block_on(house.kernel.bus().request("t", json!({ "answer": "you" }), PATIENCE));
    assert_eq!(answer.unwrap(), b"you");
}

#[test]
fn a_request_that_comes_back_to_whoever_waits_is_a_cycle() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    plugin(&house, "b");
    subscribe(&house, "a", "own");
    let own = host(&house, "a", "bus.request", json!({ "topic": "own" }), "{}").unwrap_err();
    assert_eq!(own_code(&own), "call_cycle");
    subscribe(&house, "b", "t");
    let back = json!({ "call": "a/echo" }).to_string();
    let back = host(&house, "a", "bus.request", json!({ "topic": "t" }), &back).unwrap_err();
    assert_eq!(own_code(&back), "call_cycle", "{back:?}");
}

#[test]
fn a_plugin_waits_for_room_no_longer_than_its_call_may_take() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    let never = Options::new().queue(1).overflow(Overflow::Block(Duration::MAX));
    let stuck = house.kernel.bus().subscribe_with("t", never).unwrap();
    let (ask, mut reply) = (json!({ "function": "bus.publish", "args": { "topic": "t" }, "payload": "1" }), Vec::new());
    let publish = house.action("a/host");
    let mut inline = || publish.call_inline_with(ask.to_string().as_bytes(), &mut reply, soon());
    inline().unwrap();
    assert_eq!(inline().unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!((stuck.dropped(), stuck.try_next().is_some(), stuck.try_next().is_none()), (1, true, true));
}

#[test]
fn a_deputy_asked_by_request_has_no_more_authority_than_whoever_asks() {
    let seen = Seen::default();
    let house = house(&seen);
    plugin(&house, "a");
    plugin(&house, "b");
    house.probe("vault");
    subscribe(&house, "b", "t");
    let open = json!({ "call": "vault/version" }).to_string();
    let ask = || host(&house, "a", "bus.request", json!({ "topic": "t" }), &open);
    assert_eq!(ask().unwrap(), "1");
    grant(&house, "a", &["bus.publish"]);
    assert_eq!(own_code(&ask().unwrap_err()), "permission_denied");
}

#[test]
fn events_for_a_plugin_that_is_still_loading_wait_until_it_runs() {
    let seen = Seen::default();
    let gate = Gate::new();
    let _open = Until(&gate);
    let slow = early(noting(&seen)).waits_in(Hook::Start, &gate);
    let house = House::with(&[("slow", slow)]);
    grant(&house, "a", &["bus.subscribe"]);
    let id = house.register(&folder("a", "slow\n1"));
    let kernel = house.kernel.clone();
    let loading = std::thread::spawn({
        let id = id.clone();
        move || block_on(kernel.load(&id))
    });
    house.wait_for(&id, State::Starting);
    assert_eq!(house.kernel.bus().publish("first", json!(1)).unwrap().delivered, 1);
    assert_eq!(house.kernel.broadcast(Message::new("all", json!(2))).unwrap().delivered, 1);
    assert_eq!((events(&house, "a").processed, events(&house, "a").waiting), (0, 2));
    gate.open();
    loading.join().unwrap().unwrap();
    processed(&house, "a", 2);
    assert_eq!(data(&seen), [1, 2]);
}

#[test]
fn a_broadcast_reaches_every_plugin_that_takes_events_once() {
    let seen = Seen::default();
    let house = house(&seen);
    for id in ["a", "b"] {
        plugin(&house, id);
    }
    house.load(&folder("deaf", "deaf"));
    subscribe(&house, "a", "all");
    let listener = house.kernel.bus().subscribe("all").unwrap();
    assert_eq!(house.kernel.broadcast(Message::new("all", json!("hello"))).unwrap().delivered, 3);
    processed(&house, "a", 1);
    processed(&house, "b", 1);
    assert_eq!(data(&seen).len(), 2);
    assert!(listener.try_next().is_some());
    block_on(house.kernel.stop(&name("b"))).unwrap();
    assert_eq!(house.kernel.broadcast(Message::new("all", json!("again"))).unwrap().delivered, 2);
}

#[test]
fn subscriptions_go_on_to_the_next_generation_and_end_with_the_last() {
    let seen = Seen::default();
    let house = house(&seen);
    grant(&house, "a", &["bus.subscribe"]);
    let id = house.load(&folder("a", "early\n1"));
    subscribe(&house, "a", "at.run.time");
    let publish = |topic: &str| house.kernel.bus().publish(topic, json!(topic)).unwrap().delivered;
    assert_eq!((publish("first"), publish("second"), publish("at.run.time")), (1, 0, 1));
    processed(&house, "a", 2);
    // A next generation that does not come to be leaves nothing.
    house.write(&folder("a", "early\nbroken"));
    block_on(house.kernel.reload(&id)).unwrap_err();
    assert_eq!(publish("second"), 0);
    house.write(&folder("a", "early\n2"));
    block_on(house.kernel.reload(&id)).unwrap();
    assert_eq!((publish("first"), publish("second"), publish("at.run.time")), (1, 1, 1));
    processed(&house, "a", 5);
    let generations: Vec<u64> = seen.lock().unwrap().iter().map(|(generation, _)| *generation).collect();
    assert_eq!(generations[..2], [1, 1]);
    assert!(generations[2..].iter().all(|generation| *generation > 1), "{generations:?}");
    // Who is stopped gets nothing, and again once it is started.
    block_on(house.kernel.stop(&id)).unwrap();
    assert_eq!(publish("first"), 0);
    block_on(house.kernel.start(&id)).unwrap();
    assert_eq!(publish("first"), 1);
    block_on(house.kernel.unload(&id)).unwrap();
    assert_eq!((publish("first"), publish("at.run.time")), (0, 0));
    assert_eq!(house.kernel.bus().stats().total_subscribers, 0);
    block_on(house.kernel.load(&id)).unwrap();
    assert_eq!((publish("second"), publish("at.run.time")), (1, 0));
}

#[test]
fn groups_filters_and_retained_values_are_for_plugins_as_well() {
    let seen = Seen::default();
    let house = house(&seen);
    for id in ["a", "b"] {
        plugin(&house, id);
    }
    host(&house, "a", "bus.publish", json!({ "topic": "last", "retain": true }), "7").unwrap();
    subscribe(&house, "b", "last");
    processed(&house, "b", 1);
    assert_eq!(data(&seen), [7]);
    let red = json!({ "topic": "colors", "filter": { "color": "red" } });
    host(&house, "a", "bus.subscribe", red, "").unwrap();
    for color in ["blue", "red"] {
        house.kernel.bus().publish("colors", json!({ "color": color })).unwrap();
    }
    processed(&house, "a", 1);
    for id in ["a", "b"] {
        host(&house, id, "bus.subscribe", json!({ "topic": "work", "group": "workers" }), "").unwrap();
    }
    for number in 0..10 {
        house.kernel.bus().publish("work", json!(number)).unwrap();
    }
    processed(&house, "a", 6);
    processed(&house, "b", 6);
    let wrong = host(&house, "a", "bus.subscribe", json!({ "topic": "x", "filter": 1 }), "").unwrap_err();
    assert_eq!(own_code(&wrong), "invalid_input");
}

#[test]
fn a_pool_subscribes_once_and_a_plugin_without_the_hook_not_at_all() {
    let seen = Seen::default();
    let house = house(&seen);
    grant(&house, "a", &["bus.subscribe"]);
    house.load(&folder("a", "early\n1").with("instances", pool(3, 3)));
    for number in 0..50 {
        assert_eq!(house.kernel.bus().publish("first", json!(number)).unwrap().delivered, 1);
    }
    processed(&house, "a", 50);
    assert_eq!(data(&seen), (0..50).map(Value::from).collect::<Vec<_>>());
    grant(&house, "deaf", &["bus.subscribe"]);
    house.load(&folder("deaf", "deaf"));
    let error = house.call("deaf/subscribe", "").unwrap_err();
    assert_eq!(own_code(&error), "not_supported");
}

#[test]
fn events_wait_behind_calls_and_a_crash_ends_the_subscription() {
    let seen = Seen::default();
    let house = house(&seen);
    let id = plugin(&house, "a");
    subscribe(&house, "a", "t");
    let _ =
        block_on(house.action("a/hang").call_with("", midplane_kernel::CallOptions::within(Duration::from_millis(20))));
    house.kernel.bus().publish("t", json!(1)).unwrap();
    processed(&house, "a", 1);
    house.call("a/abort", "").unwrap_err();
    house.wait_for(&id, State::Failed);
    assert_eq!(house.kernel.bus().publish("t", json!(2)).unwrap().delivered, 0);
    block_on(house.kernel.restart(&id)).unwrap();
    assert_eq!(house.kernel.bus().publish("t", json!(3)).unwrap().delivered, 0, "what it asked for has gone with it");
}
