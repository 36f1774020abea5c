use midplane_sdk::testing::Bench;

use super::*;

fn probe() -> Bench<Probe> {
    Bench::new()
}

#[test]
fn echo_gives_the_bytes_back() {
    assert_eq!(probe().call("echo", b"\0\xff").unwrap(), b"\0\xff");
    assert_eq!(probe().call("echo", b"").unwrap(), b"");
}

#[test]
fn fail_answers_with_the_error_it_was_given() {
    let wanted = json!({"code": "x", "message": "y", "recoverable": true, "data": {"z": 1}});
    let error = probe().call("fail", wanted.to_string()).unwrap_err();
    assert_eq!(serde_json::to_value(&error).unwrap(), wanted);
}

#[test]
fn chunks_are_as_many_and_as_large_as_asked() {
    let reply = probe().call("chunks", "{\"count\": 3, \"size\": 2}").unwrap();
    assert_eq!(reply, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn allocate_touches_all_of_it() {
    let answer = probe().call_json("allocate", &json!({"mib": 2})).unwrap();
    assert_eq!(answer, json!({"bytes": 2 * 1024 * 1024, "pages": 512}));
}

#[test]
fn the_counter_goes_from_one_instance_to_the_next() {
    let mut old = probe();
    assert_eq!(old.call("counter", "").unwrap(), b"1");
    assert_eq!(old.call("counter", "{\"add\": 41}").unwrap(), b"42");
    let state = old.hook(Hook::ExportState, "").unwrap().unwrap();
    let mut new = probe();
    new.hook(Hook::ImportState, state).unwrap();
    assert_eq!(new.call("counter", "").unwrap(), b"43");
    assert!(new.hook(Hook::ImportState, "no number").is_err());
}

#[test]
fn a_refused_configuration_leaves_the_present_one() {
    let mut probe = probe();
    probe.hook(Hook::Init, "{\"a\": 1, \"health\": \"degraded\"}").unwrap();
    let error = probe.hook(Hook::ConfigChanged, "{\"reject\": true, \"message\": \"no\"}").unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("rejected", "no"));
    assert_eq!(probe.call_json("config", &Value::Null).unwrap(), json!({"a": 1, "health": "degraded"}));
    let health: Value = serde_json::from_slice(&probe.hook(Hook::Health, "").unwrap().unwrap()).unwrap();
    assert_eq!(health, json!({"status": "degraded", "details": {"counter": 0}}));
    assert_eq!(probe.hook(Hook::ValidateConfig, "{\"invalid\": true}").unwrap_err().code, "config_invalid");
}

#[test]
fn hooks_are_noted_and_fail_where_the_configuration_says() {
    let mut probe = probe();
    probe.hook(Hook::Init, "{\"fail_in\": [\"stop\"]}").unwrap();
    probe.hook(Hook::Start, "").unwrap();
    assert_eq!(probe.hook(Hook::Stop, "").unwrap_err().code, "hook_failed");
    assert_eq!(probe.call_json("history", &Value::Null).unwrap(), json!(["init", "start", "stop"]));
    assert_eq!(probe.asked("log").len(), 3);
}

#[test]
fn a_hang_ends_when_its_file_appears() {
    let file = std::env::temp_dir().join(format!("midplane-probe-release-{}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let mut probe = probe();
    probe.call("hang", json!({"release": file}).to_string()).unwrap();
    assert_eq!(probe.asked("log").len(), 1);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn nested_calls_and_host_functions_are_passed_on_with_their_errors() {
    let mut probe = probe().answer("call", |asked| {
        assert_eq!(asked.args, json!({"address": "other/echo", "deadline_ms": 5}));
        Ok(asked.payload.clone())
    });
    let call = json!({"address": "other/echo", "input": "hi", "deadline_ms": 5});
    assert_eq!(probe.call("call", call.to_string()).unwrap(), b"hi");
    assert_eq!(probe.call("host", "{\"function\": \"secret.get\"}").unwrap_err().code, "not_supported");
}

#[test]
#[should_panic(expected = "as asked")]
fn panic_panics_with_the_message() {
    let _ = probe().call("panic", "as asked");
}

#[test]
fn the_manifest_is_sound() {
    let parsed = midplane_contract::manifest::parse("plugin.yaml", include_bytes!("../../plugin.yaml"));
    assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
    assert_eq!(parsed.manifest.unwrap().id.as_str(), "probe");
}
