use serde_json::json;

use super::Bench;
use crate::prelude::*;
use crate::{Hook, Level};

#[derive(Default)]
struct Shop {
    depth: u64,
}

impl Plugin for Shop {
    fn define() -> Definition<Self> {
        Definition::new()
            .action("twice", |_, (), _| Ok("earlier"))
            .action("twice", |_, (), _| Ok("later"))
            .action("depth", |shop: &mut Self, (), _| Ok(Json(shop.depth)))
            .action("parse", |_, text: String, _| Ok(Json(text.parse::<u64>()?)))
            .action("forward", |_, input: Vec<u8>, context| {
                context.log(Level::Warn, "forwarding", &json!({"bytes": input.len()}));
                context.call("other/action", &input)
            })
            .on_init(|shop: &mut Self, Json(config): Json<Value>, _| {
                shop.depth = config.get("depth").and_then(Value::as_u64).unwrap_or(1);
                Ok(())
            })
            .on_event(|shop: &mut Self, event, _| {
                shop.depth += u64::from(event.event_type == "deeper");
                Ok(Json(shop.depth))
            })
            .on_migrate(|_, from, state, _| Ok([from.as_bytes(), b":", state].concat()))
    }
}

#[test]
fn of_two_actions_with_one_name_the_later_wins() {
    let mut bench = Bench::<Shop>::new();
    assert_eq!(bench.call("twice", "").unwrap(), b"later");
    assert_eq!(bench.call("never", "").unwrap_err().code, "action_not_found");
}

#[test]
fn hooks_get_their_own_types() {
    let mut bench = Bench::<Shop>::new();
    assert_eq!(bench.hook(Hook::Init, "").unwrap(), Some(Vec::new()));
    assert_eq!(bench.call_json("depth", &json!(null)).unwrap(), 1);
    bench.hook(Hook::Init, r#"{"depth": 5}"#).unwrap();
    let event = r#"{"event_type": "deeper", "sender": "core", "timestamp": "2026-01-01T00:00:00Z"}"#;
    assert_eq!(bench.hook(Hook::Event, event).unwrap().unwrap(), b"6");
    assert_eq!(bench.call_json("depth", &json!(null)).unwrap(), 6);
    assert_eq!(bench.hook(Hook::Migrate, b"{\"from\":\"1\"}\nold\nstate").unwrap().unwrap(), b"1:old\nstate");
    assert_eq!(bench.hook(Hook::Health, "").unwrap(), None);
    assert_eq!(bench.hook(Hook::Init, "[").unwrap_err().code, "config_invalid");
}

#[test]
fn a_standard_error_becomes_the_plugins_own() {
    let mut bench = Bench::<Shop>::new();
    assert_eq!(bench.call("parse", "12").unwrap(), b"12");
    let error = bench.call("parse", "twelve").unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("failed", "invalid digit found in string"));
}

#[test]
fn the_host_is_what_the_test_says() {
    let mut bench = Bench::<Shop>::new().answer("call", |asked| Ok([b"got ", asked.payload.as_slice()].concat()));
    assert_eq!(bench.call("forward", "it").unwrap(), b"got it");
    assert_eq!(bench.asked("call")[0].args, json!({"address": "other/action"}));
    assert_eq!(bench.asked("log")[0].args, json!({"level": "warn", "message": "forwarding", "fields": {"bytes": 2}}));
    let mut silent = Bench::<Shop>::new();
    assert_eq!(silent.call("forward", "it").unwrap_err().code, "not_supported");
}
