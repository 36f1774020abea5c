//! Servers that go, and come back.

use std::time::Duration;

use midplane_contract::Code;
use midplane_kernel::config::ConfigStore;
use midplane_store_redis::{RedisStore, Settings};
use midplane_testkit::Redis;
use serde_json::json;

use crate::hosts::{Host, id, numbered, settings, store};

#[test]
fn a_plugin_keeps_its_configuration_while_the_server_is_away_and_what_was_missed_arrives_afterwards() {
    let mut server = Redis::start(&["--appendonly", "yes"]);
    let (one, two) = (Host::running(store(&server)), Host::running(store(&server)));
    one.update(json!({"n": 1})).unwrap();
    two.comes_to_have(&json!({"n": 1}));
    server.kill();

    let error = one.update(json!({"n": 2})).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("cannot be reached"), "{error}");
    assert_eq!((one.config(), two.config()), (json!({"n": 1}), json!({"n": 1})));

    server.revive();
    // Written by somebody else, at a moment when nobody may be listening yet.
    assert_eq!(server.cli(&["HSET", "midplane:configs", "p", r#"{"n": 3}"#]), "0");
    one.comes_to_have(&json!({"n": 3}));
    two.comes_to_have(&json!({"n": 3}));
    one.update(json!({"n": 4})).unwrap();
    two.comes_to_have(&json!({"n": 4}));
}

#[test]
fn a_server_that_comes_back_empty_gets_back_what_the_hosts_know() {
    let mut server = Redis::start(&[]);
    let host = Host::running(store(&server));
    host.update(json!({"n": 1})).unwrap();
    server.kill();
    server.revive();
    let late = store(&server);
    assert!(midplane_testkit::eventually(|| late.load(&id()).unwrap() == Some(numbered(1))));
    assert_eq!(host.config(), json!({"n": 1}));
}

#[test]
fn what_somebody_writes_first_into_a_server_that_came_back_empty_is_not_overwritten() {
    let mut server = Redis::start(&[]);
    let (one, two) = (Host::running(store(&server)), Host::running(store(&server)));
    one.update(json!({"n": 1})).unwrap();
    two.comes_to_have(&json!({"n": 1}));
    // Both hosts have heard of another one since.
    store(&server).save(&id(), &numbered(2)).unwrap();
    one.comes_to_have(&json!({"n": 2}));
    two.comes_to_have(&json!({"n": 2}));
    server.kill();
    server.revive();
    store(&server).save(&id(), &numbered(3)).unwrap();
    one.comes_to_have(&json!({"n": 3}));
    two.comes_to_have(&json!({"n": 3}));
}

#[test]
fn a_host_that_begins_while_the_server_is_away_loads_its_plugin_when_it_is_back() {
    let mut server = Redis::start(&[]);
    server.kill();
    let host = Host::new(store(&server));
    let error = host.load().unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().recoverable, "{error:?}");
    server.revive();
    host.load().unwrap();
    host.update(json!({"n": 1})).unwrap();
    assert_eq!(store(&server).load(&id()).unwrap(), Some(numbered(1)));
}

#[test]
fn connections_that_the_server_closes_are_made_again() {
    let server = Redis::start(&[]);
    let (one, two) = (Host::running(store(&server)), Host::running(store(&server)));
    for n in 0..5 {
        one.update(json!({ "n": n })).unwrap();
        two.comes_to_have(&json!({ "n": n }));
        let kinds = ["normal", "pubsub"].map(|kind| server.cli(&["CLIENT", "KILL", "TYPE", kind]));
        assert!(kinds.iter().all(|said| !said.contains("ERR")), "{kinds:?}");
    }
    one.update(json!({"n": 9})).unwrap();
    two.comes_to_have(&json!({"n": 9}));
}

#[test]
fn a_change_whose_answer_does_not_come_in_time_ends_alike_at_all_hosts() {
    let server = Redis::start(&[]);
    let short = || {
        let timeout = Duration::from_secs(2);
        RedisStore::new(Settings { timeout, ..settings(&server.address()) })
    };
    let (one, two) = (Host::running(short()), Host::running(short()));
    one.update(json!({"n": 1})).unwrap();
    two.comes_to_have(&json!({"n": 1}));
    server.pause();
    let error = one.update(json!({"n": 2})).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("whether it has done what it was asked is not known"), "{error}");
    assert_eq!((one.config(), two.config()), (json!({"n": 1}), json!({"n": 1})));
    server.resume();
    // It had got it, and does it then.
    one.comes_to_have(&json!({"n": 2}));
    two.comes_to_have(&json!({"n": 2}));
    two.update(json!({"n": 3})).unwrap();
    one.comes_to_have(&json!({"n": 3}));
}
