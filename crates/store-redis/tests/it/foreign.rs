//! What somebody else has put where the configurations are.

use midplane_contract::Code;
use midplane_kernel::config::{CONFIG_SIZE, ConfigStore};
use midplane_testkit::Redis;
use serde_json::json;

use crate::hosts::{Host, id, numbered, object, store};

#[test]
fn garbage_is_refused_by_its_place_and_a_running_plugin_keeps_what_it_has() {
    let server = Redis::start(&[]);
    let host = Host::running(store(&server));
    host.update(json!({"n": 1})).unwrap();
    for garbage in ["canary", "[1]", "", "{\"n\": ", "\u{fffd}"] {
        server.cli(&["HSET", "midplane:configs", "p", garbage]);
        server.cli(&["PUBLISH", "midplane:config-changed", "p"]);
        server.cli(&["PUBLISH", "midplane:config-changed", garbage]);
        let error = store(&server).load(&id()).unwrap_err();
        assert_eq!(error.code(), Code::Storage);
        assert!(error.record().message.contains("the field `p` of `midplane:configs`"), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
        // A host that has no plugin with it yet does not load one.
        assert_eq!(Host::new(store(&server)).load().unwrap_err().code(), Code::Storage);
    }
    assert_eq!(host.config(), json!({"n": 1}));
    // A change puts it right.
    host.update(json!({"n": 2})).unwrap();
    assert_eq!(store(&server).load(&id()).unwrap(), Some(numbered(2)));
}

#[test]
fn a_key_of_another_kind_is_named_with_what_to_do() {
    let server = Redis::start(&[]);
    server.cli(&["SET", "midplane:configs", "mine"]);
    for error in [store(&server).load(&id()).unwrap_err(), store(&server).save(&id(), &numbered(1)).unwrap_err()] {
        assert_eq!(error.code(), Code::Storage);
        assert!(error.record().message.contains("`midplane:configs`"), "{error}");
        assert!(error.record().remedy.as_deref().unwrap().contains("store.prefix"), "{error:?}");
    }
    assert_eq!(server.cli(&["GET", "midplane:configs"]), "mine");
}

#[test]
fn the_largest_configuration_is_kept_and_a_larger_value_is_not_even_fetched() {
    let server = Redis::start(&[]);
    let room = CONFIG_SIZE - r#"{"text":""}"#.len();
    let largest = object(json!({"text": "x".repeat(room)}));
    store(&server).save(&id(), &largest).unwrap();
    assert_eq!(store(&server).load(&id()).unwrap(), Some(largest.clone()));
    let error = store(&server).save(&id(), &object(json!({"text": "x".repeat(room + 1)}))).unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded);
    assert_eq!(store(&server).load(&id()).unwrap(), Some(largest));

    server.cli(&["EVAL", "redis.call('HSET', 'midplane:configs', 'p', string.rep('x', 100000000))", "0"]);
    let error = store(&server).load(&id()).unwrap_err();
    assert!(error.record().message.contains("1048576 bytes"), "{error}");
    let fetched = server.cli(&["INFO", "stats"]);
    let sent =
        fetched.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")?.trim().parse::<usize>().ok());
    assert!(sent.unwrap() < 20 * CONFIG_SIZE, "{sent:?}");
}

#[test]
fn a_server_without_room_refuses_and_the_plugin_gets_its_old_configuration_back() {
    let server = Redis::start(&[]);
    let host = Host::running(store(&server));
    host.update(json!({"n": 1})).unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = host.update(json!({"n": 2})).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("maxmemory"), "{error}");
    assert_eq!(host.config(), json!({"n": 1}));
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store(&server).load(&id()).unwrap(), Some(numbered(1)));
    host.update(json!({"n": 3})).unwrap();
}
