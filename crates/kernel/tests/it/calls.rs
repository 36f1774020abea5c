//! Calling: replies, errors, payloads.

use midplane_contract::{Code, Limits};
use midplane_kernel::block_on;
use midplane_testkit::{PluginFolder, Program};
use serde_json::{Value, json};

use crate::house::House;

#[test]
fn replies_come_back_both_ways() {
    let house = House::new();
    for program in ["probe", "polled"] {
        house.load(&PluginFolder::fake(program, program));
        assert_eq!(house.call(&format!("{program}/echo"), "hello").unwrap(), "hello");
        assert_eq!(house.call_inline(&format!("{program}/echo"), "hello").unwrap(), "hello");
        assert_eq!(house.call(&format!("{program}/echo"), "").unwrap(), "");
    }
}

#[test]
fn an_inline_reply_is_appended_to_what_the_buffer_holds() {
    let house = House::new();
    house.probe("p");
    let mut buffer = b"before ".to_vec();
    house.action("p/echo").call_inline(b"after", &mut buffer).unwrap();
    assert_eq!(buffer, b"before after");
}

#[test]
fn an_action_that_is_not_there_is_named_with_those_that_are() {
    let house = House::new();
    house.probe("p");
    for error in [house.call("p/nothing", "").unwrap_err(), house.call_inline("p/none", "").unwrap_err()] {
        assert_eq!(error.code(), Code::ActionNotFound);
        assert!(error.record().remedy.as_ref().unwrap().contains("echo"));
        assert_eq!(error.record().plugin.as_deref(), Some("p"));
    }
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}

#[test]
fn a_manifest_narrows_the_actions_that_callers_may_use() {
    let house = House::new();
    house.load(&PluginFolder::fake("p", "probe\n1").with("actions", json!(["echo"])));
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
    assert_eq!(house.call("p/version", "").unwrap_err().code(), Code::ActionNotFound);
    assert_eq!(house.call_inline("p/version", "").unwrap_err().code(), Code::ActionNotFound);
}

#[test]
fn an_error_carries_plugin_runtime_generation_and_action() {
    let house = House::new();
    house.probe("p");
    let wanted = r#"{"code":"teapot","message":"short and stout","recoverable":true,"data":{"spout":1}}"#;
    for error in [house.call("p/fail", wanted).unwrap_err(), house.call_inline("p/fail", wanted).unwrap_err()] {
        let record = error.record();
        assert_eq!(record.code, Code::PluginError);
        assert_eq!(record.plugin.as_deref(), Some("p"));
        assert_eq!(record.runtime.as_deref(), Some("wasm/in-process"));
        assert_eq!(record.action.as_deref(), Some("fail"));
        assert_eq!(record.generation, Some(1));
        assert!(record.recoverable);
        assert_eq!(Value::Object(record.data.clone()), serde_json::from_str::<Value>(wanted).unwrap());
    }
}

#[test]
fn payloads_beyond_their_limit_are_refused_both_ways() {
    let house = House::new();
    house.limit("p", Limits { payload: Some(100), ..Limits::default() });
    house.probe("p");
    let large = "x".repeat(101);
    assert_eq!(house.call("p/echo", &large).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(house.call_inline("p/echo", &large).unwrap_err().code(), Code::LimitExceeded);
    let chunks = r#"{"count":3,"size":40}"#;
    assert_eq!(house.call("p/chunks", chunks).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(house.call("p/echo", &large[..100]).unwrap().len(), 100);
}

#[test]
fn sixteen_mebibytes_pass_both_ways() {
    let house = House::new();
    house.probe("p");
    let large = vec![7_u8; 16 << 20];
    assert_eq!(block_on(house.kernel.call("p/echo", large.clone())).unwrap(), large);
    let mut reply = Vec::new();
    house.action("p/echo").call_inline(&large, &mut reply).unwrap();
    assert_eq!(reply, large);
}

#[test]
fn a_panic_in_the_runtime_itself_is_an_error_and_leaves_the_lane_in_use() {
    let program = Program::echoing().waiting("unwind", |_, _, _| panic!("as asked"));
    let house = House::with(&[("unwinding", program)]);
    house.load(&PluginFolder::fake("p", "unwinding"));
    assert_eq!(house.call("p/unwind", "").unwrap_err().code(), Code::Internal);
    assert_eq!(house.call("p/echo", "x").unwrap(), "x");
}
