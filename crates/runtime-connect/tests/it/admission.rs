//! Who is let in, and who is not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use midplane_contract::{Code, State};
use midplane_kernel::block_on;
use midplane_runtime_connect::{Pass, Settings};
use midplane_testkit::{PATIENCE, eventually};
use serde_json::{Value, json};

use crate::stage::{Client, Stage, brisk, id};

fn refused(client: &mut Client, plugin: &str, token: &str) -> (String, String) {
    let answer = client.register(plugin, token, json!({ "actions": ["echo"], "hooks": [] }));
    let error = &answer["error"];
    let closing = client.closing().unwrap();
    assert_eq!(closing.1, error["message"].as_str().unwrap(), "the close frame says it as well");
    assert!(!error["remedy"].as_str().unwrap().is_empty());
    (error["code"].as_str().unwrap().to_owned(), closing.1)
}

#[test]
fn a_plugin_registers_and_runs() {
    let stage = Stage::new();
    let mut client = stage.client();
    let params =
        json!({ "name": "A tab", "version": "1.2.0", "capabilities": ["measure", "not an action"], "process_id": 77 });
    let answer = client.register("tab", &stage.token(), params);
    let result = &answer["result"];
    assert_eq!((&result["success"], &result["message"]), (&json!(true), &json!("plugin registered successfully")));
    assert_eq!((&result["plugin_id"], &result["version"]), (&json!("tab"), &json!("1.2.0")));
    assert_ne!(stage.state("tab"), Some(State::Running), "it is initializing until it has said that it is initialized");
    assert_eq!(client.answer("initialize", json!({ "success": true })), json!({ "plugin_id": "tab", "config": {} }));
    assert_eq!(client.answer("start", Value::Null), json!({ "plugin_id": "tab" }));
    stage.wait_for("tab", State::Running);

    let status = stage.kernel.status(&id("tab")).unwrap();
    assert_eq!(status.manifest.capabilities, ["measure", "not an action"]);
    let generation = status.generation.unwrap();
    assert_eq!((generation.actions, generation.runtime.as_str()), (vec!["measure".to_owned()], "remote/remote"));
    let connection = &generation.details["connection"];
    assert_eq!((&connection["process_id"], &connection["protocol"]), (&json!(77), &json!("text")));
    let record = stage.record("tab");
    assert_eq!((record.name.as_str(), record.version.as_str(), record.process_id), ("A tab", "1.2.0", Some(77)));
    assert_eq!((record.capabilities.len(), record.status, record.connected), (2, Some(State::Running), true));
}

#[test]
fn a_plugin_without_an_id_is_refused() {
    let stage = Stage::new();
    let token = stage.token();
    assert_eq!(refused(&mut stage.client(), "", &token), ("invalid_input".into(), "missing plugin_id".into()));
    assert_eq!(refused(&mut stage.client(), "No Id", &token).0, "invalid_input");
    // Its token is as good as before.
    assert_eq!(stage.client().register("p", &token, json!({}))["result"]["success"], true);
}

#[test]
fn a_token_is_good_for_one_plugin_once() {
    let stage = Stage::new();
    let token = stage.token();
    let first = stage.client().register("p", &token, json!({ "actions": ["echo"], "hooks": [] }));
    assert_eq!(first["result"]["success"], true);
    let denied = |message: &str| ("permission_denied".to_owned(), message.to_owned());
    assert_eq!(refused(&mut stage.client(), "q", &token), denied("the token has been used"));
    assert_eq!(refused(&mut stage.client(), "q", "guessed"), denied("unknown token"));
    assert_eq!(refused(&mut stage.client(), "q", ""), denied("unknown token"));
    let own = stage.host.issue(Pass::of(id("mine"))).unwrap();
    assert_eq!(refused(&mut stage.client(), "q", own.reveal()), denied("the token is for another plugin"));
    let old = stage.host.issue(Pass::any().valid(Duration::ZERO)).unwrap();
    assert_eq!(refused(&mut stage.client(), "q", old.reveal()), denied("the token has expired"));
    assert_eq!(stage.state("q"), None);
}

#[test]
fn many_who_race_for_one_token_are_one() {
    let stage = Stage::new();
    let token = stage.token();
    let clients: Vec<Client> = (0..16).map(|_| stage.client()).collect();
    let race = |(number, mut client): (usize, Client)| {
        let token = token.clone();
        std::thread::spawn(move || {
            client.register(&format!("p{number}"), &token, json!({}))["result"]["success"] == true
        })
    };
    let racers: Vec<_> = clients.into_iter().enumerate().map(race).collect();
    assert_eq!(racers.into_iter().map(|racer| racer.join().unwrap()).filter(|won| *won).count(), 1);
}

#[test]
fn the_fifty_first_plugin_is_one_too_many() {
    let stage = Stage::new();
    let mut clients: Vec<Client> = (0..50).map(|number| stage.plain(&format!("p{number}"))).collect();
    let token = stage.token();
    let full = ("limit_exceeded".to_owned(), "maximum number of plugins reached".to_owned());
    assert_eq!(refused(&mut stage.client(), "p50", &token), full);
    // A reconnect of one that has gone is no fifty-first.
    clients.pop().unwrap().close();
    stage.wait_for("p49", State::Stopped);
    assert!(eventually(|| !stage.record("p49").connected));
    assert_eq!(stage.client().register("p49", &token, json!({}))["result"]["success"], true);
}

#[test]
fn a_live_id_is_refused_unless_the_token_says_that_it_replaces() {
    let stage = Stage::new();
    let mut first = stage.plain("p");
    let again = refused(&mut stage.client(), "p", &stage.token());
    assert_eq!(again, ("already_registered".into(), "a plugin `p` is connected already".into()));
    assert_eq!(stage.state("p"), Some(State::Running));

    let token = stage.host.issue(Pass::of(id("p")).replacing()).unwrap();
    let mut second = stage.client();
    let params = json!({ "version": "2.0.0", "actions": ["echo"], "hooks": [] });
    assert_eq!(second.register("p", token.reveal(), params)["result"]["success"], true);
    assert_eq!(first.closing().unwrap().0, 1000);
    assert!(eventually(|| stage.kernel.status(&id("p")).unwrap().manifest.version.to_string() == "2.0.0"));
    second.serve(|request| Some(json!({ "text": format!("second: {}", request["params"]["text"].as_str()?) })));
    assert_eq!(stage.call("p/echo", "x").unwrap(), "second: x");
    assert_eq!(stage.record("p").connections, 2);
}

#[test]
fn the_first_message_is_a_registration() {
    let stage = Stage::new();
    let mut client = stage.client();
    client.send(&json!({ "id": 7, "method": "play" }));
    let answer = client.next();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!("not_supported")));
    assert_eq!(answer["error"]["message"], "unknown method: play (register first)");
    let mut client = stage.client();
    client.text("GET / HTTP/1.1");
    let told = client.next()["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("GET / HTTP"), "{told}");
    assert_eq!(client.closing().unwrap().0, 1002);
    let mut client = stage.client();
    client.binary(b"MIDPLANE");
    assert_eq!(client.next()["error"]["code"], "protocol_error");
}

#[test]
fn pages_may_connect_only_from_origins_that_are_allowed() {
    let stage = Stage::new();
    let page = Client::connect(&stage.listener.url(), Some("https://evil.example"));
    assert!(matches!(page, Err(tungstenite::Error::Http(response)) if response.status() == 403));
    let origins = vec!["https://tool.example".to_owned()];
    let stage = Stage::with(Settings { origins, ..Settings::default() });
    let page = Client::connect(&stage.listener.url(), Some("https://evil.example"));
    assert!(matches!(page, Err(tungstenite::Error::Http(response)) if response.status() == 403));
    let mut page = Client::connect(&stage.listener.url(), Some("https://tool.example")).unwrap();
    assert_eq!(page.register("p", &stage.token(), json!({}))["result"]["success"], true);
}

#[test]
fn nothing_else_is_served() {
    let stage = Stage::new();
    let url = stage.listener.url().replace("/plugin/connect", "/elsewhere");
    let other = Client::connect(&url, None);
    assert!(matches!(other, Err(tungstenite::Error::Http(response)) if response.status() == 404));
}

#[test]
fn whoever_comes_without_a_websocket_is_told_what_is_here() {
    let stage = Stage::new();
    for request in
        ["GET /plugin/connect HTTP/1.1\r\nhost: here\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n\r\n"]
    {
        let mut tcp = TcpStream::connect(stage.listener.address()).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("plugins connect here"),
            "{request:?}: {answer}"
        );
    }
}

#[test]
fn whoever_does_not_register_in_time_is_told_so() {
    let stage = Stage::with(brisk());
    let mut client = stage.client();
    assert_eq!(client.next()["error"]["code"], "deadline_exceeded");
    assert!(client.closing().is_some());
}

#[test]
fn whoever_dribbles_bytes_has_no_more_time_than_others() {
    let stage = Stage::with(Settings { admission: Duration::from_millis(200), arrivals: 8, ..Settings::default() });
    let dribble = |_| {
        let tcp = TcpStream::connect(stage.listener.address()).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp
    };
    let mut slow: Vec<TcpStream> = (0..8).map(dribble).collect();
    for byte in b"GET /plugin/connect" {
        for tcp in &mut slow {
            // Those that were ended take nothing any longer.
            let _ = tcp.write_all(&[*byte]);
        }
    }
    for mut tcp in slow {
        let mut rest = Vec::new();
        // However it ends, it ends.
        let _ = tcp.read_to_end(&mut rest);
    }
    assert!(eventually(|| Client::connect(&stage.listener.url(), None).is_ok()), "there is room again");
}

#[test]
fn a_first_message_is_short() {
    let stage = Stage::new();
    let mut client = stage.client();
    let params = json!({ "plugin_id": "p", "token": stage.token(), "description": "x".repeat(70_000) });
    client.send(&json!({ "id": "r", "method": "register", "params": params }));
    assert_eq!(client.next()["error"]["code"], "protocol_error");
}

#[test]
fn a_plugin_that_refuses_to_be_initialized_has_failed_and_is_disconnected() {
    let stage = Stage::new();
    let mut client = stage.registered("p", json!({ "actions": ["echo"], "hooks": ["init"] }));
    let request = client.next();
    client.send(&json!({ "id": request["id"], "error": { "code": "no_disk", "message": "no disk here" } }));
    let (_, reason) = client.closing().unwrap();
    assert!(reason.contains("no disk here"), "{reason}");
    stage.wait_for("p", State::Failed);
    assert_eq!(stage.record("p").last_error.unwrap().code(), Code::PluginError);
    // It may try again.
    let mut client = stage.registered("p", json!({ "actions": ["echo"], "hooks": ["init"] }));
    client.answer("initialize", Value::Null);
    stage.wait_for("p", State::Running);
}

#[test]
fn a_disabled_plugin_does_not_come_in_by_connecting() {
    let stage = Stage::new();
    let client = stage.plain("p");
    block_on(stage.kernel.disable(&id("p"))).unwrap();
    client.close();
    assert!(eventually(|| !stage.record("p").connected));
    let mut again = stage.registered("p", json!({ "actions": ["echo"], "hooks": [] }));
    assert!(again.closing().unwrap().1.contains("disabled"));
    assert_ne!(stage.state("p"), Some(State::Running));
}
