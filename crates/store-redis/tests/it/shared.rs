//! Several hosts over one server.

use midplane_kernel::config::ConfigStore;
use midplane_store_redis::{RedisStore, Settings};
use midplane_testkit::{Redis, eventually};
use serde_json::{Value, json};

use crate::hosts::{Host, id, numbered, settings, store};

#[test]
fn what_one_host_changes_reaches_the_plugin_of_the_other() {
    let server = Redis::start(&[]);
    let (one, two) = (Host::running(store(&server)), Host::running(store(&server)));
    for n in 0..20 {
        let (from, to) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        from.update(json!({ "n": n })).unwrap();
        to.comes_to_have(&json!({ "n": n }));
    }
    // What the plugin refuses is neither kept nor told.
    one.update(json!({"reject": true})).unwrap_err();
    assert_eq!(store(&server).load(&id()).unwrap(), Some(numbered(19)));
    // A host that comes later finds it.
    assert_eq!(Host::running(store(&server)).config(), json!({"n": 19}));
}

#[test]
fn hosts_with_another_prefix_or_database_share_nothing() {
    let server = Redis::start(&[]);
    store(&server).save(&id(), &numbered(1)).unwrap();
    let here = settings(&server.address());
    for other in [Settings { prefix: "test".to_owned(), ..here.clone() }, Settings { database: 1, ..here }] {
        assert_eq!(RedisStore::new(other).load(&id()).unwrap(), None);
    }
}

#[test]
fn hosts_that_write_at_once_end_with_the_same_configuration_and_none_is_lost() {
    let server = Redis::start(&[]);
    let hosts: Vec<Host> = (0..4).map(|_| Host::running(store(&server))).collect();
    std::thread::scope(|scope| {
        for (number, host) in hosts.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..25 {
                    host.update(json!({"host": number, "n": n})).unwrap();
                }
            });
        }
    });
    let kept = || Value::Object(store(&server).load(&id()).unwrap().unwrap());
    let last = kept();
    assert_eq!(last["n"], 24, "one of the last writes is what stays");
    assert!(eventually(|| hosts.iter().all(|host| host.config() == last)), "not all have {last}");
    assert_eq!(kept(), last);
}

#[test]
fn a_store_that_goes_takes_its_connections_with_it() {
    let server = Redis::start(&[]);
    let clients = || server.cli(&["CLIENT", "LIST"]).lines().count();
    let before = clients();
    let host = Host::running(store(&server));
    host.update(json!({"n": 1})).unwrap();
    assert!(eventually(|| clients() >= before + 2), "one to ask, one to listen");
    drop(host);
    assert!(eventually(|| clients() == before), "{} are left", clients());
}
