//! Calls, answers and questions in the text protocol.

use midplane_contract::{Code, Permission, State};
use midplane_kernel::{CallOptions, Policy, block_on};
use midplane_testkit::eventually;
use serde_json::{Value, json};
use std::time::Duration;

use crate::stage::{Client, Stage, id};

fn call(stage: &Stage, input: &[u8]) -> std::thread::JoinHandle<Result<Vec<u8>, midplane_contract::Error>> {
    let (kernel, input) = (stage.kernel.clone(), input.to_vec());
    std::thread::spawn(move || block_on(kernel.call("p/echo", input)))
}

#[test]
fn the_host_calls_and_the_plugin_answers() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    let calling = call(&stage, br#"{"name":"Ada"}"#);
    let line = client.line();
    assert!(line.starts_with(r#"{"id":""#), "{line}");
    assert!(line.contains(r#""method":"call","params":{"action":"echo","deadline_ms":"#), "{line}");
    assert!(line.ends_with(r#","input":{"name":"Ada"}}}"#), "{line}");
    let request: Value = serde_json::from_str(&line).unwrap();
    client.text(&format!(
        r#"{{"id":{},"result":{{"text": "Hello, Ada!", "n": 10000000000000000000000}}}}"#,
        request["id"]
    ));
    let reply = String::from_utf8(calling.join().unwrap().unwrap()).unwrap();
    assert_eq!(reply, r#"{"text": "Hello, Ada!", "n": 10000000000000000000000}"#, "as it was written");
}

#[test]
fn bytes_go_as_what_they_are() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    for (input, field, value) in [(&b"plain"[..], "text", "plain"), (b"a\0b\xff", "base64", "YQBi/w=="), (b"", "", "")]
    {
        let calling = call(&stage, input);
        let request = client.next();
        if field.is_empty() {
            assert_eq!(request["params"].as_object().unwrap().len(), 2, "{request}");
            client.send(&json!({ "id": request["id"], "result": null }));
        } else {
            assert_eq!(request["params"][field], value);
            client.send(&json!({ "id": request["id"], field: value }));
        }
        assert_eq!(calling.join().unwrap().unwrap(), input);
    }
}

#[test]
fn an_answer_may_come_in_pieces_and_be_large() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    let calling = call(&stage, b"");
    let request = client.next();
    let piece = "x".repeat(3 << 20);
    client.send(&json!({ "id": request["id"], "text": piece, "more": true }));
    client.send(&json!({ "id": request["id"], "text": piece, "more": true }));
    client.send(&json!({ "id": request["id"], "text": "end" }));
    let reply = calling.join().unwrap().unwrap();
    assert_eq!((reply.len(), reply.ends_with(b"xend")), ((6 << 20) + 3, true));

    let large: Vec<u8> = (0..5_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let calling = call(&stage, &large);
    let request = client.next();
    client.send(&json!({ "id": request["id"], "base64": request["params"]["base64"] }));
    assert_eq!(calling.join().unwrap().unwrap(), large);
}

#[test]
fn a_plugins_error_is_its_own() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    let calling = call(&stage, b"");
    let request = client.next();
    let error = json!({ "code": "sold_out", "message": "none left", "recoverable": true, "data": { "sku": 7 } });
    client.send(&json!({ "id": request["id"], "error": error }));
    let error = calling.join().unwrap().unwrap_err();
    assert_eq!((error.code(), error.record().recoverable), (Code::PluginError, true));
    assert_eq!(error.record().data["code"], "sold_out");
    assert!(json!(error.record().data).to_string().contains("\"sku\":7"));
    assert_eq!(stage.state("p"), Some(State::Running));
}

#[test]
fn a_hook_that_a_plugin_does_not_know_is_not_asked_for_again() {
    let stage = Stage::new();
    let mut client = stage.registered("p", json!({ "actions": ["echo"] }));
    for method in ["initialize", "start"] {
        let request = client.next();
        assert_eq!(request["method"], method);
        client.send(&json!({ "id": request["id"], "error": format!("unknown method: {method}") }));
    }
    stage.wait_for("p", State::Running);
    let kernel = stage.kernel.clone();
    let restart = std::thread::spawn(move || block_on(kernel.restart(&id("p"))));
    client.answer("stop", Value::Null);
    restart.join().unwrap().unwrap();
}

#[test]
fn a_plugin_asks_the_host_and_the_gate_decides() {
    let stage = Stage::new();
    let other = stage.plain("other");
    other.serve(|request| Some(json!({ "text": format!("heard {}", request["params"]["text"].as_str()?) })));
    let asking = json!({ "actions": ["echo"], "hooks": [], "permissions": ["plugin.call:other/*"] });
    let mut client = stage.registered("p", asking);
    stage.wait_for("p", State::Running);
    let ask = |client: &mut Client| client.ask("7", "call", json!({ "address": "other/echo", "text": "hi" }));
    let denied = ask(&mut client);
    assert_eq!(denied["error"]["code"], "permission_denied", "{denied}");
    let grants = vec![Permission::parse("plugin.call:other/*").unwrap()];
    stage.kernel.set_policy(&id("p"), Policy { grants, ..Policy::default() });
    assert_eq!(ask(&mut client), json!({ "id": "7", "text": "heard hi" }));
    let elsewhere = client.ask("8", "call", json!({ "address": "p/echo" }));
    assert_eq!(elsewhere["error"]["code"], "permission_denied");
    assert!(client.ask("9", "time.now", json!({}))["result"].is_string());
    assert_eq!(client.ask("10", "ping", json!({})), json!({ "id": "10", "result": {} }));
    let unknown = client.ask("11", "play", json!({}));
    assert_eq!(
        (&unknown["error"]["code"], &unknown["error"]["message"]),
        (&json!("not_supported"), &json!("unknown method: play"))
    );
    let second = client.ask("12", "register", json!({}));
    assert_eq!(second["error"]["code"], "not_supported");
    // A notice is answered by nobody.
    client.send(&json!({ "method": "log", "params": { "message": "a line" } }));
    assert_eq!(client.ask("13", "config.get", json!({})), json!({ "id": "13", "result": {} }));
}

#[test]
fn a_call_that_is_given_up_is_cancelled() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    let action = stage.kernel.action("p/echo").unwrap();
    let calling = std::thread::spawn(move || {
        let options = CallOptions::within(Duration::from_millis(100));
        block_on(action.call_with("x", options))
    });
    let request = client.next();
    let cancel = client.next();
    assert_eq!((&cancel["method"], &cancel["params"]["id"]), (&json!("cancel"), &request["id"]));
    client.send(&json!({ "id": request["id"], "error": { "code": "cancelled", "message": "as you wish" } }));
    assert_eq!(calling.join().unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    client.serve(|request| Some(json!({ "text": request["params"]["text"] })));
    assert_eq!(stage.call("p/echo", "still there").unwrap(), "still there");
}

#[test]
fn a_plugin_that_does_not_stop_is_disconnected_and_siblings_go_on() {
    let stage = Stage::new();
    let mut deaf = stage.plain("p");
    stage.plain("sibling").serve(|request| Some(json!({ "text": request["params"]["text"] })));
    let action = stage.kernel.action("p/echo").unwrap();
    let options = CallOptions::within(Duration::from_millis(100));
    let late = block_on(action.call_with("x", options)).unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    stage.wait_for("p", State::Stopped);
    assert!(deaf.closing().unwrap().1.contains("did not stop"));
    assert_eq!(stage.call("sibling/echo", "x").unwrap(), "x");
}

#[test]
fn what_breaks_the_protocol_is_quoted_and_ends_the_connection() {
    for broken in ["hello there", "[]", r#"{"id":"1"}"#, r#"{"id":"1","text":"a","base64":"YQ=="}"#] {
        let stage = Stage::new();
        let mut client = stage.plain("p");
        let calling = call(&stage, b"x");
        let request = client.next();
        client.text(&broken.replace("\"1\"", &request["id"].to_string()));
        let error = calling.join().unwrap().unwrap_err();
        assert_eq!(error.code(), Code::ProtocolError, "{broken}: {error}");
        assert_eq!(client.closing().unwrap().0, 1002);
        stage.wait_for("p", State::Stopped);
    }
    let stage = Stage::new();
    let mut client = stage.plain("p");
    client.binary(b"MIDPLANE");
    assert_eq!(client.closing().unwrap().0, 1002);
}

#[test]
fn a_message_that_is_too_large_ends_the_connection() {
    let stage = Stage::with(midplane_runtime_connect::Settings { message: 100_000, ..Default::default() });
    let mut client = stage.plain("p");
    client.send(&json!({ "id": "1", "method": "log", "params": { "message": "x".repeat(90_000) } }));
    assert_eq!(client.next()["error"]["code"], "limit_exceeded");
    client.send(&json!({ "id": "2", "method": "log", "params": { "message": "x".repeat(110_000) } }));
    assert!(client.closing().is_some());
    stage.wait_for("p", State::Stopped);
}

#[test]
fn answers_that_nobody_waits_for_are_ignored() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    client.send(&json!({ "id": "99", "result": 1 }));
    client.send(&json!({ "id": 99, "result": 1 }));
    client.serve(|request| Some(json!({ "text": request["params"]["text"] })));
    assert_eq!(stage.call("p/echo", "x").unwrap(), "x");
    assert!(eventually(|| stage.state("p") == Some(State::Running)));
}
