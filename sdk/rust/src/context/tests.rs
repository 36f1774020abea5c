use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::prelude::*;
use crate::testing::Bench;
use crate::{HttpReply, HttpRequest, Service, Subscription, Topic};

#[derive(Default)]
struct Asker;

const TIME: Option<Duration> = Some(Duration::from_micros(1_500_001));

impl Plugin for Asker {
    fn define() -> Definition<Self> {
        Definition::new()
            .action("store", |_, (), context| {
                context.state_set_json("a/1", &json!({"n": 1}), None)?;
                context.state_set("a/2", b"old", TIME)?;
                let written = context.state_compare_and_set("a/2", Some(b"old"), b"new", TIME)?;
                let lost = context.state_compare_and_set("a/2", Some(b"old"), b"other", None)?;
                let fresh = context.state_compare_and_set("b", None, b"", None)?;
                let (known, kept) = (context.state_get_json::<Value>("a/1")?, context.state_get("a/2")?);
                let empty = context.state_get("b")?;
                context.state_delete("b")?;
                let gone = context.state_get("b")?;
                let keys = [context.state_list("a/")?, context.state_list("")?];
                Ok(json!([written, lost, fresh, known, kept, empty, gone, keys]))
            })
            .action("expect", |_, (), context| context.state_compare_and_set("k", Some(b"\xff"), b"", None).map(Json))
            .action("compare", |_, (), context| context.state_compare_and_set("k", None, b"", None).map(Json))
            .action("get", |_, (), context| context.state_get("k").map(Json))
            .action("fetch", |_, (), context| {
                let sent = HttpRequest::new("POST", "https://example.com/").header("accept", "text/plain").body("hi");
                let reply = context.http_fetch(&sent)?;
                Ok(json!([reply.status, reply.headers, reply.text()]))
            })
            .action("others", |_, (), context| {
                context.call_within(Duration::from_secs(2), "a/b", b"1")?;
                context.call_json::<Value>("a/b", &1)?;
                context.request_within(Duration::from_micros(1), Topic::new("t").content_type("text/plain"), b"?")?;
                context.request_json::<Value>("t", &[1])?;
                context.service_find("greeter")?;
                context.service_call(Service::new("greeter").range("^1"), "greet", b"x")?;
                context.service_call_within(Duration::ZERO, "greeter", "greet", b"x")?;
                context.service_call_json::<Value>("greeter", "greet", &"x").map(Json)
            })
            .action("tell", |_, (), context| {
                context.publish("t", &"text")?;
                context.publish_bytes(Topic::new("t").content_type("text/plain").retain(), b"text")?;
                context.subscribe("t")?;
                context.subscribe(Subscription::new("t.*").group("g").filter("color", "red").filter("/size/0", 3))?;
                context.unsubscribe("t")?;
                context.count("n", 2.0, &[("shop", "north")])?;
                context.gauge("g", 0.5, &[])?;
                context.observe("o", 1.0, &[])
            })
            .action("know", |_, (), context| {
                let drawn = context.random(70)?;
                let (now, later) = (context.monotonic()?, context.monotonic()?);
                assert!(now <= later && drawn.len() == 70 && drawn != context.random(70)?);
                let off = context.now()?.duration_since(SystemTime::now()).unwrap_or_else(|error| error.duration());
                assert!(off < Duration::from_secs(3600));
                let (all, one): (Value, Option<u64>) = (context.config()?, context.config_value("depth")?);
                let none: Option<u64> = context.config_value("width")?;
                Ok(json!([all, one, none, context.action(), context.plugin().instance, context.secret("key")?]))
            })
            .on_start(|_, context| {
                assert_eq!(context.action(), None);
                Ok(())
            })
    }
}

fn args(bench: &Bench<Asker>, function: &str) -> Vec<Value> {
    bench.asked(function).into_iter().map(|asked| asked.args).collect()
}

#[test]
fn state_is_kept_compared_and_listed() {
    let mut bench = Bench::<Asker>::new();
    let kept: Value = bench.call_json("store", &json!(null)).unwrap();
    assert_eq!(kept, json!([true, false, true, {"n": 1}, b"new", [], null, [["a/1", "a/2"], ["a/1", "a/2"]]]));
    assert_eq!(
        args(&bench, "state.compare_and_set"),
        [
            json!({"key": "a/2", "expected": "old", "ttl_ms": 1501}),
            json!({"key": "a/2", "expected": "old"}),
            json!({"key": "b"})
        ]
    );
    assert_eq!(args(&bench, "state.list"), [json!({"prefix": "a/"}), json!({})]);
}

#[test]
fn what_does_not_fit_is_a_typed_error() {
    let code = |action: &str, function: &'static str, answer: &'static [u8]| {
        let mut bench = Bench::<Asker>::new().answer(function, move |_| Ok(answer.to_vec()));
        bench.call(action, "").unwrap_err().code.clone()
    };
    assert_eq!(code("expect", "log", b""), "invalid_input");
    assert_eq!(code("compare", "state.compare_and_set", b""), "protocol_error");
    assert_eq!(code("fetch", "http.fetch", b"{}\nbody"), "protocol_error");
    assert_eq!(code("know", "time.now", b"\"soon\""), "protocol_error");
    assert_eq!(code("others", "call", b"{"), "invalid_reply");
    let mut bench = Bench::<Asker>::new().answer("state.get", |_| Err(Error::new("permission_denied", "no")));
    assert_eq!(bench.call("get", "").unwrap_err().code, "permission_denied");
}

#[test]
fn a_web_address_answers_with_status_headers_and_body() {
    let mut bench = Bench::<Asker>::new().answer("http.fetch", |_| {
        Ok(b"{\"status\":404,\"headers\":{\"content-type\":\"text/plain\"}}\nnot\nhere".to_vec())
    });
    assert_eq!(
        bench.call_json("fetch", &json!(null)).unwrap(),
        json!([404, {"content-type": "text/plain"}, "not\nhere"])
    );
    let asked = bench.asked("http.fetch");
    assert_eq!(
        asked[0].args,
        json!({"method": "POST", "url": "https://example.com/", "headers": {"accept": "text/plain"}})
    );
    assert_eq!(asked[0].payload, b"hi");
    let reply = HttpReply { status: 200, headers: BTreeMap::new(), body: b"[1]".to_vec() };
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(HttpReply { body: b"[".to_vec(), ..reply }.json::<Value>().unwrap_err().code, "invalid_reply");
}

#[test]
fn others_are_called_with_ranges_and_deadlines() {
    let json = |text: &'static str| move |_: &crate::testing::Asked| Ok(text.as_bytes().to_vec());
    let mut bench = Bench::<Asker>::new()
        .answer("call", json("1"))
        .answer("bus.request", json(""))
        .answer("service.find", json("[]"))
        .answer("service.call", json("{}"));
    assert_eq!(bench.call("others", "").unwrap(), b"{}");
    let (greeter, call) = (json!({"interface": "greeter"}), json!({"address": "a/b"}));
    assert_eq!(args(&bench, "call"), [json!({"address": "a/b", "deadline_ms": 2000}), call]);
    assert_eq!(
        args(&bench, "bus.request"),
        [json!({"topic": "t", "content_type": "text/plain", "deadline_ms": 1}), json!({"topic": "t"})]
    );
    assert_eq!(args(&bench, "service.find"), [greeter]);
    assert_eq!(
        args(&bench, "service.call"),
        [
            json!({"interface": "greeter", "range": "^1", "action": "greet"}),
            json!({"interface": "greeter", "action": "greet", "deadline_ms": 0}),
            json!({"interface": "greeter", "action": "greet"}),
        ]
    );
    assert_eq!(bench.asked("service.call")[2].payload, b"\"x\"");
}

#[test]
fn events_and_measurements_go_out_as_the_wire_says() {
    let mut bench = Bench::<Asker>::new();
    bench.call("tell", "").unwrap();
    let published = bench.asked("bus.publish");
    assert_eq!((&published[0].args, published[0].payload.as_slice()), (&json!({"topic": "t"}), &b"\"text\""[..]));
    assert_eq!(published[1].args, json!({"topic": "t", "content_type": "text/plain", "retain": true}));
    let filtered = json!({"topic": "t.*", "group": "g", "filter": {"color": "red", "/size/0": 3}});
    assert_eq!(args(&bench, "bus.subscribe"), [json!({"topic": "t"}), filtered]);
    assert_eq!(published[1].payload, b"text");
    assert_eq!(args(&bench, "metrics.count"), [json!({"name": "n", "value": 2.0, "labels": {"shop": "north"}})]);
    assert_eq!(args(&bench, "metrics.gauge"), [json!({"name": "g", "value": 0.5})]);
    assert_eq!(bench.asked("bus.unsubscribe").len(), 1);
}

#[test]
fn a_context_knows_its_action_its_plugin_and_what_the_host_tells() {
    let mut bench = Bench::<Asker>::new()
        .config(json!({"depth": 3}))
        .answer("secret.get", |asked| Ok(asked.args.to_string().into()));
    let known = bench.call_json("know", &json!(null)).unwrap();
    assert_eq!(known, json!([{"depth": 3}, 3, null, "know", 0, "{\"name\":\"key\"}"]));
    assert!(bench.hook(crate::Hook::Start, "").unwrap().is_some());
}
