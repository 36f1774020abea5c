//! Plugins that call plugins.

use midplane_contract::{Code, Error, Hook, HostFunction, InstanceMode, Instances, PluginId};
use midplane_kernel::{CallOptions, Policy, block_on};
use midplane_testkit::{Desk, PluginFolder, Program, eventually, probe};
use serde_json::{Value, json};
use std::time::Duration;

use crate::house::{House, name, pool};

/// A probe that asks to call others; granted is another matter.
fn caller(id: &str) -> PluginFolder {
    PluginFolder::fake(id, "probe\n1").with("permissions", json!(["plugin.call"]))
}

/// The input that makes a probe call `address` with `input`.
fn calling(address: &str, input: &str) -> String {
    json!({ "address": address, "input": input }).to_string()
}

/// The code of the host's error that probes passed on.
fn passed_on(error: &Error) -> &str {
    error.code().as_str()
}

#[test]
fn a_chain_of_calls_brings_the_answer_back() {
    let house = House::new();
    for id in ["a", "b", "c"] {
        house.grant(&name(id), "plugin.call");
        house.load(&caller(id));
    }
    let input = calling("b/call", &calling("c/echo", "deep"));
    assert_eq!(house.call("a/call", &input).unwrap(), "deep");
    assert_eq!(house.call_inline("a/call", &input).unwrap(), "deep");
}

#[test]
fn a_call_that_comes_back_to_an_actor_in_its_chain_is_a_cycle() {
    let house = House::new();
    for id in ["a", "b"] {
        house.grant(&name(id), "plugin.call");
        house.load(&caller(id));
    }
    let back = house.call("a/call", &calling("b/call", &calling("a/echo", "x"))).unwrap_err();
    assert_eq!(passed_on(&back), "call_cycle");
    assert_eq!(passed_on(&house.call("a/call", &calling("a/echo", "x")).unwrap_err()), "call_cycle");
    assert_eq!(house.call("a/echo", "still here").unwrap(), "still here");
}

#[test]
fn a_pool_may_call_itself() {
    let house = House::new();
    house.grant(&name("p"), "plugin.call");
    let pool = Instances { mode: InstanceMode::Pool, min: 1, max: 40 };
    house.load(&caller("p").with("instances", serde_json::to_value(pool).unwrap()));
    let nested = |levels: usize| (1..levels).fold(calling("p/echo", "x"), |inner, _| calling("p/call", &inner));
    assert_eq!(house.call("p/call", &nested(4)).unwrap(), "x");
}

#[test]
fn a_call_that_comes_back_to_a_pool_all_of_which_waits_is_a_cycle() {
    let house = House::new();
    for id in ["a", "b"] {
        house.grant(&name(id), "plugin.call");
        house.load(&caller(id).with("instances", pool(1, if id == "a" { 2 } else { 40 })));
    }
    let back = |inner: &str| calling("b/call", &calling("a/call", inner));
    assert_eq!(house.call("a/call", &calling("b/call", &calling("a/echo", "x"))).unwrap(), "x");
    let error = house.call("a/call", &back(&calling("b/call", &calling("a/echo", "x")))).unwrap_err();
    assert_eq!((error.code(), &error.record().data["chain"]), (Code::CallCycle, &json!(["a", "b", "a", "b", "a"])));
    assert_eq!(house.call("a/echo", "still here").unwrap(), "still here");
}

#[test]
fn more_plugins_than_there_are_threads_can_all_wait_for_one_at_once() {
    const MORE_THAN_THE_POOL_HAS: usize = 600;
    let subscribes =
        |desk: &mut Desk<'_>, _: &[u8]| desk.host(HostFunction::BusSubscribe, &json!({ "topic": "go" }), b"");
    let asking = probe().hook(Hook::Init, subscribes).hook(Hook::Event, |desk, _| {
        desk.call("asked/echo", b"x")?;
        desk.host(HostFunction::BusRequest, &json!({ "topic": "question" }), b"1")
    });
    let house = House::with(&[("asking", asking)]);
    let every = ["plugin.call", "bus.publish", "bus.subscribe"];
    let may = |id: &str| {
        let grants = every.iter().map(|one| one.parse().unwrap()).collect();
        house.kernel.set_policy(&name(id), Policy { grants, ..Policy::default() });
    };
    may("asked");
    house.load(&caller("asked").with("permissions", json!(every)));
    let subscribe = json!({ "function": "bus.subscribe", "args": { "topic": "question" } });
    house.call("asked/host", &subscribe.to_string()).unwrap();
    let asking: Vec<PluginId> = (0..MORE_THAN_THE_POOL_HAS)
        .map(|number| {
            let id = format!("asks-{number}");
            may(&id);
            // However slow the machine is, it is none that ends by itself.
            let limits = json!({ "hook_deadline": "10m", "call_deadline": "10m" });
            house.load(&PluginFolder::fake(&id, "asking\n1").with("permissions", json!(every)).with("limits", limits))
        })
        .collect();
    house.kernel.bus().publish("go", json!(1)).unwrap();
    let events = |id: &PluginId| house.kernel.status(id).unwrap().events;
    assert!(eventually(|| asking.iter().all(|id| events(id).processed == 1)));
    assert!(asking.iter().all(|id| events(id).errors == 0));
}

#[test]
fn endless_recursion_ends_at_the_depth_limit() {
    let program = Program::new().waiting("again", |desk, _, reply| {
        let answer = desk.call("p/again", b"")?;
        reply.write(&answer)
    });
    let house = House::with(&[("endless", program)]);
    house.grant(&name("p"), "plugin.call");
    let pool = Instances { mode: InstanceMode::Pool, min: 1, max: 40 };
    let folder = PluginFolder::fake("p", "endless").with("permissions", json!(["plugin.call"]));
    house.load(&folder.with("instances", serde_json::to_value(pool).unwrap()));
    let error = house.call("p/again", "").unwrap_err();
    assert_eq!(error.code(), Code::DepthExceeded, "{error:?}");
    assert_eq!(error.record().data["depth"], 33);
}

#[test]
fn nobody_calls_without_declaration_and_grant() {
    let house = House::new();
    house.probe("target");
    let undeclared = house.probe("undeclared");
    house.grant(&undeclared, "plugin.call");
    house.load(&caller("ungranted"));
    for id in ["undeclared", "ungranted"] {
        let error = house.call(&format!("{id}/call"), &calling("target/echo", "x")).unwrap_err();
        assert_eq!(passed_on(&error), "permission_denied");
    }
    // A grant counts at once, and only for what it names.
    house.grant(&name("ungranted"), "plugin.call:target/echo");
    assert_eq!(house.call("ungranted/call", &calling("target/echo", "x")).unwrap(), "x");
    let other = house.call("ungranted/call", &calling("target/version", "")).unwrap_err();
    assert_eq!(passed_on(&other), "permission_denied");
}

#[test]
fn a_deputy_is_not_confused_into_lending_its_authority() {
    let house = House::new();
    house.probe("vault");
    for id in ["deputy", "stranger"] {
        house.load(&caller(id));
    }
    house.grant(&name("deputy"), "plugin.call:vault/*");
    house.grant(&name("stranger"), "plugin.call:deputy/*");
    assert_eq!(house.call("deputy/call", &calling("vault/echo", "gold")).unwrap(), "gold");
    let error = house.call("stranger/call", &calling("deputy/call", &calling("vault/echo", "gold"))).unwrap_err();
    // The deputy is refused for the stranger's sake, and passes that on.
    assert_eq!(passed_on(&error), "permission_denied");
    let denied = serde_json::to_value(error.record()).unwrap().to_string();
    assert!(denied.contains("stranger"), "{denied}");
}

#[test]
fn nested_calls_have_no_more_time_than_their_caller() {
    let house = House::new();
    house.grant(&name("a"), "plugin.call");
    house.load(&caller("a"));
    house.probe("b");
    let call = house.action("a/call");
    let input = calling("b/hang", "");
    let within = || CallOptions::within(Duration::from_millis(50));
    let error = block_on(call.call_with(input.clone(), within())).unwrap_err();
    assert!(ended_by_deadline(&error), "{error:?}");
    let error = call.call_inline_with(input.as_bytes(), &mut Vec::new(), within()).unwrap_err();
    assert!(ended_by_deadline(&error), "{error:?}");
    // Neither of the two is left busy.
    assert_eq!(house.call("a/echo", "x").unwrap(), "x");
    assert_eq!(house.call("b/echo", "x").unwrap(), "x");
    let shorter = json!({ "address": "b/hang", "deadline_ms": 20 }).to_string();
    assert_eq!(passed_on(&house.call("a/call", &shorter).unwrap_err()), "deadline_exceeded");
}

#[test]
fn who_may_call_on_has_an_end_that_does_not_move() {
    use midplane_kernel::call::Deadline;
    let program = Program::new().action("fixed", |desk, _, reply| {
        let fixed = matches!(desk.scope.deadline, Deadline::At(_));
        reply.write(fixed.to_string().as_bytes())
    });
    let house = House::with(&[("asked", program)]);
    house.load(&PluginFolder::fake("reaching", "asked").with("permissions", json!(["plugin.call"])));
    house.load(&PluginFolder::fake("alone", "asked"));
    assert_eq!(house.call_inline("reaching/fixed", "").unwrap(), "true");
    assert_eq!(house.call_inline("alone/fixed", "").unwrap(), "false");
    let mut reply = Vec::new();
    house
        .action("reaching/fixed")
        .call_inline_with(b"", &mut reply, CallOptions::within(Duration::from_secs(9)))
        .unwrap();
    assert_eq!(reply, b"true");
}

/// By the caller's own, or by that of the inner call passed on.
fn ended_by_deadline(error: &Error) -> bool {
    error.code() == Code::DeadlineExceeded || error.record().data.get("code") == Some(&Value::from("deadline_exceeded"))
}

#[test]
fn host_functions_that_are_not_there_yet_say_so() {
    let house = House::new();
    house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(["network.http"])));
    house.grant(&name("p"), "network.http");
    let ask =
        |function: &str, args: Value| house.call("p/host", &json!({ "function": function, "args": args }).to_string());
    assert_eq!(passed_on(&ask("http.fetch", json!({ "url": "http://a.test/" })).unwrap_err()), "not_supported");
    assert_eq!(passed_on(&ask("state.set", json!({ "key": "k" })).unwrap_err()), "permission_denied");
    assert!(ask("time.now", json!({})).unwrap().starts_with('"'));
    assert!(ask("time.monotonic", json!({})).unwrap().parse::<u64>().is_ok());
    assert_eq!(passed_on(&ask("random", json!({ "bytes": 70_000 })).unwrap_err()), "limit_exceeded");
    assert_eq!(ask("log", json!({ "level": "info", "message": "hello" })).unwrap(), "");
}

#[test]
fn published_events_carry_their_sender() {
    let house = House::new();
    house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(["bus.publish"])));
    house.grant(&name("p"), "bus.publish:weather");
    let events = house.kernel.bus().subscribe("weather").unwrap();
    let publish = |topic: &str| {
        let ask = json!({ "function": "bus.publish", "args": { "topic": topic }, "payload": "{\"rain\":true}" });
        house.call("p/host", &ask.to_string())
    };
    publish("weather").unwrap();
    let event = events.try_next().unwrap();
    assert_eq!((event.sender(), event.data()), ("p", &json!({ "rain": true })));
    assert_eq!(passed_on(&publish("news").unwrap_err()), "permission_denied");
}

#[test]
fn a_chain_of_thirty_two_is_served_and_one_more_is_refused() {
    let program = Program::new().waiting("down", |desk, input, reply| {
        let left: usize = String::from_utf8_lossy(input).parse().unwrap();
        match left {
            0 => reply.write(b"bottom"),
            left => reply.write(&desk.call("p/down", (left - 1).to_string().as_bytes())?),
        }
    });
    let house = House::with(&[("down", program)]);
    house.grant(&name("p"), "plugin.call");
    let folder = PluginFolder::fake("p", "down").with("permissions", json!(["plugin.call"]));
    house.load(&folder.with("instances", pool(1, 64)));
    assert_eq!(house.call("p/down", "32").unwrap(), "bottom");
    assert_eq!(house.call("p/down", "33").unwrap_err().code(), Code::DepthExceeded);
}

#[test]
fn a_cycle_of_any_length_and_by_any_way_is_named_link_by_link() {
    let house = House::new();
    let all = ["plugin.call", "service.call", "bus.request", "bus.subscribe"];
    for id in ["a", "b", "c", "d", "e"] {
        let grants = all.iter().map(|one| one.parse().unwrap()).collect();
        house.kernel.set_policy(&name(id), Policy { grants, ..Policy::default() });
        let provides = json!({ "provides": [format!("i-{id}")] });
        house.load(&caller(id).with("permissions", json!(all)).with("interfaces", provides));
    }
    let call = |to: &str, input: Value| json!({ "address": to, "input": input });
    let back = json!({ "address": "a/echo", "input": "x" });
    let five = call("b/call", call("c/call", call("d/call", call("e/call", back))));
    let subscribe = json!({ "function": "bus.subscribe", "args": { "topic": "t" } });
    house.call("a/host", &subscribe.to_string()).unwrap();
    let args = json!({ "interface": "i-a", "action": "echo" });
    let service = call("b/host", json!({ "function": "service.call", "args": args, "payload": "x" }));
    let request = call("b/host", json!({ "function": "bus.request", "args": { "topic": "t" }, "payload": "1" }));
    for (input, chain) in [
        (five, json!(["a", "b", "c", "d", "e", "a"])),
        (service, json!(["a", "b", "a"])),
        (request, json!(["a", "b", "a"])),
    ] {
        let error = house.call("a/call", &input.to_string()).unwrap_err();
        assert_eq!((error.code(), &error.record().data["chain"]), (Code::CallCycle, &chain), "{error:?}");
    }
}

#[test]
fn arguments_that_are_not_what_they_should_be_are_refused_by_name_and_null_is_none() {
    let house = House::new();
    let all = ["bus.publish", "bus.subscribe", "bus.request", "plugin.call", "service.call"];
    let grants = all.iter().map(|one| one.parse().unwrap()).collect();
    house.kernel.set_policy(&name("p"), Policy { grants, ..Policy::default() });
    house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(all)));
    house.probe("other");
    let ask = |function: &str, args: &Value| {
        house.call("p/host", &json!({ "function": function, "args": args, "payload": "x" }).to_string())
    };
    for (function, args, name, wrong) in [
        ("call", json!({ "address": "other/echo" }), "deadline_ms", json!(-1)),
        ("call", json!({ "address": "other/echo" }), "deadline_ms", json!("20")),
        ("bus.publish", json!({ "topic": "t" }), "retain", json!("yes")),
        ("bus.publish", json!({ "topic": "t" }), "content_type", json!(7)),
        ("bus.subscribe", json!({ "topic": "t" }), "group", json!(5)),
    ] {
        let with = |value: Value| {
            let mut args = args.clone();
            args[name] = value;
            ask(function, &args)
        };
        let error = with(wrong).unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput, "{function} {name}: {error:?}");
        assert!(error.record().message.contains(&format!("`{name}`")), "{error}");
        with(Value::Null).unwrap();
    }
    let range = ask("service.call", &json!({ "interface": "i", "action": "a", "range": 1 })).unwrap_err();
    assert_eq!(range.code(), Code::InvalidInput);
}
