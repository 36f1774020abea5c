//! Calls that go well, and what a service is told beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use midplane_contract::Code;
use midplane_kernel::{CallOptions, block_on};
use midplane_runtime_grpc::Settings;
use serde_json::{Value, json};

use crate::service::Service;
use crate::stage::Stage;

#[test]
fn endpoints_get_calls_in_turn() {
    let services = ["a", "b", "c"].map(Service::start);
    let stage = Stage::of(&services.each_ref().map(Service::address), Settings::default());
    let mut answers: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for _ in 0..30 {
        *answers.entry(stage.call("name", "").unwrap()).or_default() += 1;
    }
    assert_eq!(answers.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}

#[test]
fn a_service_is_told_who_calls_what_and_until_when() {
    let service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings::default());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let options =
        CallOptions { trace: Some(Arc::from(trace)), ..CallOptions::within(std::time::Duration::from_secs(20)) };
    let answer = block_on(stage.kernel.action("far/metadata").unwrap().call_with("", options)).unwrap();
    let told: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(told["plugin-id"], "far");
    assert_eq!(told["method"], "metadata");
    assert_eq!(told["traceparent"], trace);
    let seconds: i64 = told["timestamp"].as_str().unwrap().parse().unwrap();
    assert!((seconds - jiff::Timestamp::now().as_second()).abs() < 60);
    assert!(told["grpc-timeout"].as_str().is_some_and(|time| time.len() > 1), "{told}");
    assert!(told["session"].as_str().is_some_and(|session| session.len() == 36));
    let again: Value = serde_json::from_slice(&stage.call("metadata", "").unwrap()).unwrap();
    assert_eq!(told["session"], again["session"]);
    assert_ne!(told["call-id"], again["call-id"]);
}

#[test]
fn the_status_shows_every_endpoint_and_the_latest_hundred_times() {
    let service = Service::start("north");
    let stage = Stage::of(&[service.address()], Settings::default());
    for _ in 0..120 {
        stage.call("echo", "x").unwrap();
    }
    stage.call("status", "5").unwrap_err();
    let shown = stage.endpoint(0);
    assert_eq!(shown["address"], service.address());
    assert_eq!(shown["state"], "ready");
    assert_eq!(shown["metadata"]["region"], "north");
    assert_eq!(shown["capabilities"], json!(["testing"]));
    assert_eq!(shown["capability_config"]["testing"]["depth"], 3);
    // Initialize and Start are requests as well.
    assert_eq!((&shown["requests"], &shown["errors"]), (&json!(123), &json!(1)));
    assert_eq!(shown["last_error"]["data"]["code"], "NOT_FOUND");
    assert_eq!(shown["response_times_ms"].as_array().unwrap().len(), 100);
    assert!(shown["last_check"].is_string());
}

#[test]
fn statuses_become_codes() {
    let service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings { retries: 0, ..Settings::default() });
    for (status, code) in [
        (1, Code::Cancelled),
        (2, Code::PluginError),
        (3, Code::InvalidInput),
        (4, Code::DeadlineExceeded),
        (5, Code::PluginError),
        (7, Code::PermissionDenied),
        (8, Code::Overloaded),
        (12, Code::NotSupported),
        (13, Code::PluginError),
        (14, Code::PeerGone),
        (16, Code::PermissionDenied),
    ] {
        let error = stage.call("status", status.to_string()).unwrap_err();
        assert_eq!(error.code(), code, "status {status}: {error}");
        assert!(error.record().message.contains("on purpose"), "{error}");
    }
}

#[test]
fn an_action_that_nobody_offers_is_refused_by_name() {
    let service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings::default());
    let error = stage.call("no-such-thing", "").unwrap_err();
    assert_eq!(error.code(), Code::ActionNotFound);
    assert!(error.record().message.contains("no-such-thing"));
}

#[test]
fn a_message_over_the_limit_is_an_error_that_says_so_and_larger_inputs_go_in_parts() {
    const MIB: usize = 1024 * 1024;
    let service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings::default());
    assert_eq!(stage.call("big", (4 * MIB - 100).to_string()).unwrap().len(), 4 * MIB - 100);
    let error = stage.call("big", (4 * MIB + 1).to_string()).unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded, "{error}");
    assert_eq!(error.record().data["which"], "message");
    let large = vec![3; 9 * MIB + 5];
    assert!(stage.call("echo", large.clone()).unwrap() == large);
    // A caller that reads chunks never meets the limit.
    let action = stage.kernel.action("far/big").unwrap();
    let mut stream = block_on(action.stream((20 * MIB).to_string(), CallOptions::default())).unwrap();
    let (mut bytes, mut chunks) = (0, 0);
    while let Some(chunk) = stream.next_blocking() {
        bytes += chunk.unwrap().len();
        chunks += 1;
    }
    assert_eq!((bytes, chunks), (20 * MIB, 20));
}

#[test]
fn a_service_that_does_not_answer_costs_its_caller_the_deadline_and_nothing_else() {
    let service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings::default());
    let within = CallOptions::within(std::time::Duration::from_millis(100));
    let action = stage.kernel.action("far/forever").unwrap();
    let error = block_on(action.call_with("", within.clone())).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    let error = action.call_inline_with(b"", &mut Vec::new(), within).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(stage.call("echo", "still here").unwrap(), b"still here");
}
