//! What plugins keep and measure, through the host API.

use midplane_contract::{Code, Error, Permission};
use midplane_kernel::metrics::Measured;
use midplane_kernel::{Policy, Stores, block_on};
use midplane_testkit::{Fake, PluginFolder, probe};
use serde_json::{Value, json};

use crate::house::{House, name};

/// A house over these stores, with a running plugin that may keep and measure.
fn house(stores: &Stores, ids: &[&str]) -> House {
    let house = House::over(Fake::new().program("probe", probe()), |builder| builder.stores(stores.clone()));
    for id in ids {
        let permissions = ["state.read", "state.write", "metrics.write"];
        let grants = permissions.iter().map(|text| Permission::parse(text).unwrap()).collect();
        house.kernel.set_policy(&name(id), Policy { grants, ..Policy::default() });
        house.load(&PluginFolder::fake(id, "probe\n1").with("permissions", json!(permissions)));
    }
    house
}

fn ask(house: &House, id: &str, function: &str, args: Value, payload: &str) -> Result<String, Error> {
    let input = json!({ "function": function, "args": args, "payload": payload });
    house.call(&format!("{id}/host"), &input.to_string())
}

/// What stands under a key; nothing where there is none.
fn get(house: &House, id: &str, key: &str) -> String {
    let answer = ask(house, id, "state.get", json!({ "key": key }), "");
    answer.unwrap_or_else(|error| {
        assert_eq!(error.code(), Code::KeyNotFound, "{error:?}");
        String::new()
    })
}

fn refused(answer: Result<String, Error>) -> String {
    answer.unwrap_err().code().to_string()
}

#[test]
fn state_outlives_reload_and_the_kernel_and_belongs_to_one_plugin() {
    let stores = Stores::default();
    let first = house(&stores, &["a", "b"]);
    ask(&first, "a", "state.set", json!({ "key": "k" }), "mine").unwrap();
    assert_eq!((get(&first, "a", "k"), get(&first, "b", "k")), ("mine".to_owned(), String::new()));
    block_on(first.kernel.reload(&name("a"))).unwrap();
    assert_eq!(get(&first, "a", "k"), "mine");
    block_on(first.kernel.shutdown());
    drop(first);
    let second = house(&stores, &["a", "b"]);
    assert_eq!((get(&second, "a", "k"), get(&second, "b", "k")), ("mine".to_owned(), String::new()));
    assert_eq!(ask(&second, "a", "state.list", json!({}), "").unwrap(), "[\"k\"]");
    ask(&second, "a", "state.delete", json!({ "key": "k" }), "").unwrap();
    assert_eq!(get(&second, "a", "k"), "");
}

#[test]
fn compare_and_set_says_whether_it_was_written() {
    let house = house(&Stores::default(), &["a"]);
    let swap = |expected: Value, value: &str| {
        ask(&house, "a", "state.compare_and_set", json!({ "key": "k", "expected": expected }), value).unwrap()
    };
    assert_eq!(swap("x".into(), "1"), "false");
    assert_eq!(swap(Value::Null, "1"), "true");
    assert_eq!(swap(Value::Null, "2"), "false");
    assert_eq!(swap("1".into(), "2"), "true");
    assert_eq!(get(&house, "a", "k"), "2");
}

#[test]
fn many_callers_count_with_compare_and_set_and_lose_nothing() {
    let house = house(&Stores::default(), &["a", "b", "c"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    loop {
                        let was = get(&house, "a", "n");
                        let next = (was.parse().unwrap_or(0) + 1).to_string();
                        let expected = if was.is_empty() { Value::Null } else { was.into() };
                        let swap = json!({ "key": "n", "expected": expected });
                        if ask(&house, "a", "state.compare_and_set", swap, &next).unwrap() == "true" {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(get(&house, "a", "n"), "200");
}

#[test]
fn what_cannot_be_kept_is_refused_by_its_reason() {
    let house = house(&Stores::default(), &["a"]);
    let set = |args: Value, payload: &str| refused(ask(&house, "a", "state.set", args, payload));
    assert_eq!(set(json!({}), ""), "invalid_input");
    assert_eq!(set(json!({ "key": "k", "ttl_ms": 0 }), ""), "invalid_input");
    assert_eq!(set(json!({ "key": "k", "ttl_ms": "1 s" }), ""), "invalid_input");
    assert_eq!(set(json!({ "key": "k" }), &"x".repeat(10 * 1024 * 1024)), "limit_exceeded");
    assert_eq!(get(&house, "a", "k"), "");
    house.grant(&name("a"), "state.read");
    assert_eq!(set(json!({ "key": "k" }), "v"), "permission_denied");
}

#[test]
fn measurements_are_kept_by_plugin_until_it_is_unregistered() {
    let house = house(&Stores::default(), &["a", "b"]);
    let measure = |function: &str, args: Value| ask(&house, "a", function, args, "");
    measure("metrics.count", json!({ "name": "seen" })).unwrap();
    measure("metrics.count", json!({ "name": "seen", "value": 2, "labels": { "kind": "x", "n": 1 } })).unwrap();
    measure("metrics.gauge", json!({ "name": "depth", "value": 0.5 })).unwrap();
    measure("metrics.observe", json!({ "name": "time", "value": 3 })).unwrap();
    assert_eq!(refused(measure("metrics.gauge", json!({ "name": "seen", "value": 1 }))), "invalid_input");
    assert_eq!(refused(measure("metrics.observe", json!({ "name": "time" }))), "invalid_input");
    block_on(house.kernel.reload(&name("a"))).unwrap();
    let series = house.kernel.metrics(&name("a")).unwrap();
    let shown: Vec<(&str, usize)> = series.iter().map(|one| (one.name.as_str(), one.labels.len())).collect();
    assert_eq!(shown, [("depth", 0), ("seen", 0), ("seen", 2), ("time", 0)]);
    assert_eq!(series[2].measured, Measured::Counter { value: 2.0 });
    assert!(house.kernel.metrics(&name("b")).unwrap().is_empty());
    block_on(house.kernel.unload(&name("a"))).unwrap();
    block_on(house.kernel.unregister(&name("a"))).unwrap();
    house.register(&PluginFolder::fake("a", "probe\n1"));
    assert!(house.kernel.metrics(&name("a")).unwrap().is_empty());
}

#[test]
fn lasting_grants_count_at_once_and_in_the_next_kernel_until_they_are_revoked() {
    let stores = Stores::default();
    let build = || House::over(Fake::new().program("probe", probe()), |builder| builder.stores(stores.clone()));
    let folder = || PluginFolder::fake("a", "probe\n1").with("permissions", json!(["state.read"]));
    let read = |house: &House| ask(house, "a", "state.get", json!({ "key": "k" }), "");
    let permission = Permission::parse("state.read").unwrap();
    let seed = build();
    seed.load(&PluginFolder::fake("a", "probe\n1").with("permissions", json!(["state.write"])));
    seed.grant(&name("a"), "state.write");
    ask(&seed, "a", "state.set", json!({ "key": "k" }), "kept").unwrap();
    let first = build();
    first.load(&folder());
    assert_eq!(refused(read(&first)), "permission_denied");
    let one = std::slice::from_ref(&permission);
    assert_eq!(first.kernel.grant(&name("a"), one).unwrap(), one);
    assert!(first.kernel.grant(&name("a"), one).unwrap().is_empty(), "it was there");
    read(&first).unwrap();
    let second = build();
    second.load(&folder());
    read(&second).unwrap();
    assert_eq!(second.kernel.grants(&name("a")).unwrap(), std::slice::from_ref(&permission));
    assert!(second.kernel.grants(&name("a.b")).unwrap().is_empty());
    // A denial goes before every grant.
    let denial = Permission::parse("!state.read:k").unwrap();
    second.kernel.grant(&name("a"), std::slice::from_ref(&denial)).unwrap();
    assert_eq!(refused(read(&second)), "permission_denied");
    second.kernel.revoke(&name("a"), &[denial]).unwrap();
    read(&second).unwrap();
    second.kernel.revoke(&name("a"), &[permission]).unwrap();
    assert_eq!(refused(read(&second)), "permission_denied");
}

#[test]
fn a_disabled_plugin_stays_so_in_the_next_kernel() {
    let stores = Stores::default();
    let first = house(&stores, &["a"]);
    block_on(first.kernel.disable(&name("a"))).unwrap();
    drop(first);
    let second = house(&stores, &[]);
    let id = second.register(&PluginFolder::fake("a", "probe\n1"));
    assert!(second.kernel.status(&id).unwrap().disabled);
    assert_eq!(block_on(second.kernel.load(&id)).unwrap_err().code(), Code::NotRunning);
    block_on(second.kernel.enable(&id)).unwrap();
    let third = house(&stores, &["a"]);
    assert!(!third.kernel.status(&id).unwrap().disabled);
}
