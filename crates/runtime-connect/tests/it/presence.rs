//! Coming, going and coming again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use midplane_contract::{Code, HealthStatus, State};
use midplane_kernel::block_on;
use midplane_runtime_connect::Settings;
use midplane_testkit::eventually;
use serde_json::{Value, json};

use crate::stage::{Stage, brisk, id};

#[test]
fn a_plugin_that_goes_is_stopped_and_runs_again_when_it_comes_again() {
    let stage = Stage::new();
    let mut client = stage.client();
    let plain = json!({ "version": "1.0.0", "capabilities": ["kept"], "actions": ["echo"], "hooks": [] });
    let renewal = client.register("p", &stage.token(), plain.clone())["result"]["renewal"].as_str().unwrap().to_owned();
    stage.wait_for("p", State::Running);
    client.vanish();
    stage.wait_for("p", State::Stopped);
    let refused = stage.call("p/echo", "x").unwrap_err();
    assert_eq!((refused.code(), refused.record().data["cause_code"].as_str()), (Code::NotRunning, Some("peer_gone")));
    let record = stage.record("p");
    assert_eq!((record.connected, record.status, record.capabilities.len()), (false, Some(State::Stopped), 1));

    let mut client = stage.client();
    let answer = client.register("p", &renewal, plain.clone());
    assert_eq!(answer["result"]["success"], true, "{answer}");
    stage.wait_for("p", State::Running);
    client.serve(|request| Some(json!({ "result": request["params"]["input"] })));
    assert_eq!(stage.call("p/echo", "[1]").unwrap(), "[1]");
    // The token that it came with is used.
    assert_eq!(stage.client().register("p", &renewal, plain)["error"]["message"], "the token has been used");
}

#[test]
fn a_renewal_is_for_its_plugin_and_only_once_it_has_gone() {
    let stage = Stage::new();
    let mut client = stage.client();
    let plain = json!({ "actions": ["echo"], "hooks": [] });
    let renewal = client.register("p", &stage.token(), plain.clone())["result"]["renewal"].as_str().unwrap().to_owned();
    stage.wait_for("p", State::Running);
    assert_eq!(stage.client().register("q", &renewal, plain.clone())["error"]["code"], "permission_denied");
    assert_eq!(stage.client().register("p", &renewal, plain.clone())["error"]["code"], "already_registered");

    let stage = Stage::with(Settings { renewal: Duration::ZERO, ..Settings::default() });
    assert!(stage.client().register("p", &stage.token(), plain)["result"].get("renewal").is_none());
}

#[test]
fn a_silent_plugin_is_disconnected() {
    let stage = Stage::with(brisk());
    // It reads nothing, so it answers no ping.
    let mut client = stage.plain("p");
    stage.wait_for("p", State::Stopped);
    assert_eq!(client.closing().unwrap().0, 4000);
}

#[test]
fn a_plugin_that_answers_pings_stays() {
    let stage = Stage::with(brisk());
    stage.plain("p").serve(|_| None);
    assert!(eventually(|| stage.record("p").pings > 5), "{:?}", stage.record("p"));
    assert!(stage.record("p").last_ping.is_some());
    assert_eq!(stage.state("p"), Some(State::Running));
    let details = stage.kernel.status(&id("p")).unwrap().generation.unwrap().details;
    assert!(details["connection"]["last_ping"].is_string(), "{details:?}");
}

#[test]
fn plugins_are_checked_in_the_background() {
    let stage = Stage::with(Settings { heartbeat: Duration::from_secs(60), ..brisk() });
    let sick = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&sick);
    let client = stage.registered("p", json!({ "actions": ["echo"], "hooks": ["health"] }));
    client.serve(move |request| {
        assert_eq!(request["method"], "health_check");
        let healthy = !told.load(Ordering::SeqCst);
        Some(json!({ "result": { "healthy": healthy, "status": "as usual" } }))
    });
    let status = || stage.record("p").health.map(|health| health.status);
    assert!(eventually(|| status() == Some(HealthStatus::Healthy)));
    sick.store(true, Ordering::SeqCst);
    assert!(eventually(|| status() == Some(HealthStatus::Unhealthy)));
    assert_eq!(stage.record("p").config, Some(json!({})));
}

#[test]
fn a_host_that_stops_says_so_to_everybody() {
    let stage = Stage::new();
    let clients: Vec<_> = (0..5).map(|number| stage.plain(&format!("p{number}"))).collect();
    let waiting: Vec<_> = clients.into_iter().map(|mut client| std::thread::spawn(move || client.closing())).collect();
    stage.listener.close();
    stage.host.shutdown();
    for closing in waiting {
        assert_eq!(closing.join().unwrap(), Some((1001, "the host is stopping".to_owned())));
    }
    for number in 0..5 {
        stage.wait_for(&format!("p{number}"), State::Stopped);
    }
    assert!(std::net::TcpStream::connect(stage.listener.address()).is_err());
}

#[test]
fn a_host_that_is_dropped_leaves_nobody_connected() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    let kernel = stage.kernel.clone();
    drop(stage);
    assert_eq!(client.closing().map(|(code, _)| code), Some(1001));
    assert!(eventually(|| kernel.status(&id("p")).unwrap().state == State::Stopped));
}

#[test]
fn a_plugin_that_is_unloaded_is_told_and_disconnected() {
    let stage = Stage::new();
    let mut client = stage.registered("p", json!({ "actions": ["echo"], "hooks": ["stop", "cleanup"] }));
    stage.wait_for("p", State::Running);
    let kernel = stage.kernel.clone();
    let unload = std::thread::spawn(move || block_on(kernel.unload(&id("p"))));
    client.answer("stop", Value::Null);
    client.answer("cleanup", Value::Null);
    assert_eq!(client.next()["method"], "shutdown");
    assert_eq!(client.closing().unwrap().0, 1000);
    unload.join().unwrap().unwrap();
    assert_eq!(stage.state("p"), Some(State::Registered));
    assert_eq!(block_on(stage.kernel.load(&id("p"))).unwrap_err().code(), Code::PeerGone);
    let _again = stage.plain("p");
}

#[test]
fn an_operator_disconnects_a_plugin_with_a_reason() {
    let stage = Stage::new();
    let mut client = stage.plain("p");
    assert!(stage.host.disconnect(&id("p"), "go away"));
    assert_eq!(client.closing(), Some((4001, "go away".to_owned())));
    stage.wait_for("p", State::Stopped);
    assert!(stage.kernel.status(&id("p")).unwrap().last_error.unwrap().record().message.contains("go away"));
    assert!(!stage.host.disconnect(&id("p"), "again"));
}

#[test]
fn a_plugin_stops_and_starts_on_its_connection() {
    let stage = Stage::new();
    let mut client = stage.registered("p", json!({ "actions": ["echo"], "hooks": ["start", "stop"] }));
    client.answer("start", Value::Null);
    stage.wait_for("p", State::Running);
    let kernel = stage.kernel.clone();
    let restart = std::thread::spawn(move || block_on(kernel.restart(&id("p"))));
    client.answer("stop", Value::Null);
    client.answer("start", Value::Null);
    restart.join().unwrap().unwrap();
    assert_eq!(stage.state("p"), Some(State::Running));
}
