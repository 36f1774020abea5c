//! Secrets by reference: they reach the plugin, and nobody else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use midplane_contract::{Code, Limits, Permission, SecretRef};
use midplane_kernel::{Bounds, Policy, block_on, secret};
use midplane_testkit::{Fake, PluginFolder, Scratch, log, probe};
use serde_json::{Map, Value, json};

use crate::house::{House, name};

const CANARY: &str = "canary-\"5e1f\"-of-the-tests";

/// A folder with the canary in a file, and the file.
fn hidden() -> (Scratch, PathBuf) {
    let folder = Scratch::new("secret").unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{CANARY}\n")).unwrap();
    (folder, file)
}

fn house(file: &std::path::Path) -> House {
    let fake = Fake::new().program("probe", probe());
    let places = BTreeMap::from([("api".to_owned(), SecretRef::File(file.to_owned()))]);
    House::over(fake, |builder| builder.secrets(places))
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn policy(config: Value, grants: &[&str]) -> Policy {
    let grants = grants.iter().map(|grant| Permission::parse(grant).unwrap()).collect();
    Policy { config: object(config), grants, ..Policy::default() }
}

#[test]
fn a_secret_reaches_the_plugin_and_no_log_error_event_or_document() {
    assert!(log::listen());
    let (_folder, file) = hidden();
    let house = house(&file);
    let events = house.kernel.bus().subscribe("*").unwrap();
    let config =
        json!({"deep": [{"token": {"secret": format!("file:{}", file.display())}}], "named": {"secret": "api"}});
    house.kernel.set_policy(&name("keeper"), policy(config, &[]));
    let schema = json!({"properties": {"named": {"type": "string"}}});
    let id = house.load(&PluginFolder::fake("keeper", "probe\n1").with("config_schema", schema));

    let got: Value = serde_json::from_str(&house.call("keeper/config", "").unwrap()).unwrap();
    assert_eq!((&got["deep"][0]["token"], &got["named"]), (&json!(CANARY), &json!(CANARY)));

    let shown = block_on(house.kernel.config(&id)).unwrap();
    assert_eq!(shown, json!({"deep": [{"token": secret::STARS}], "named": secret::STARS}));
    let failing = json!({"code": "denied", "message": format!("no luck with {CANARY}"), "data": {"key": CANARY}});
    let error = house.call("keeper/fail", &failing.to_string()).unwrap_err();
    let line = json!({"function": "log", "args": {"level": "info", "message": format!("begin {CANARY}"), "fields": {"k": CANARY}}});
    house.call("keeper/host", &line.to_string()).unwrap();
    assert!(log::heard("keeper", &format!("begin {}", secret::STARS)));
    assert!(!log::heard_part("keeper", "5e1f"));

    let status = house.kernel.status(&id).unwrap();
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).map(|event| event.envelope().clone()).collect();
    for text in [format!("{error:?}"), error.to_json().to_string(), json!(status).to_string(), json!(told).to_string()]
    {
        assert!(!text.contains("5e1f"), "{text}");
    }
    assert!(error.record().message.contains(secret::STARS));
}

#[test]
fn a_refused_configuration_does_not_tell_the_secret() {
    let (_folder, file) = hidden();
    let house = house(&file);
    let schema = json!({"properties": {"token": {"type": "string", "maxLength": 3}}});
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("config_schema", schema));
    for config in [json!({"token": {"secret": "api"}}), json!({"reject": true, "other": {"secret": "api"}})] {
        let error = block_on(house.kernel.update_config(&id, object(config))).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(!format!("{error:?}").contains("5e1f"), "{error:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_at_once_and_leaves_the_old_configuration() {
    let house = House::new();
    let id = house.probe("p");
    let config = json!({"a": {"secret": "env:MIDPLANE_TEST_NOT_SET"}, "b": [{"secret": "file:/nowhere/at/all"}], "c": {"secret": "unnamed"}, "d": {"secret": 1}});
    let error = block_on(house.kernel.update_config(&id, object(config))).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    let faults = error.record().data["faults"].as_array().unwrap();
    let paths: Vec<&str> = faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/a", "/b/0", "/c", "/d"]);
    assert_eq!(block_on(house.kernel.config(&id)).unwrap(), json!({}));
}

#[test]
fn a_secret_that_is_empty_is_told_instead_of_being_handed_over() {
    let (_folder, file) = hidden();
    let house = house(&file);
    std::fs::write(&file, "\n").unwrap();
    let id = house.probe("p");
    let error = block_on(house.kernel.update_config(&id, object(json!({"key": {"secret": "api"}})))).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.record().message.contains("it is empty"), "{error}");
}

#[test]
fn a_secret_that_has_changed_is_read_anew_and_an_unreadable_one_leaves_the_old() {
    let (_folder, file) = hidden();
    let house = house(&file);
    house.kernel.set_policy(&name("p"), policy(json!({"key": {"secret": "api"}}), &[]));
    let id = house.probe("p");
    let key = || serde_json::from_str::<Value>(&house.call("p/config", "").unwrap()).unwrap()["key"].clone();
    assert_eq!(key(), json!(CANARY));
    std::fs::write(&file, "canary-the-next").unwrap();
    block_on(house.kernel.renew_secrets(&id)).unwrap();
    assert_eq!(key(), json!("canary-the-next"));
    // One that is as it was is not handed over again.
    let events = house.kernel.bus().subscribe("plugin.config_changed").unwrap();
    assert!(!block_on(house.kernel.renew_secrets(&id)).unwrap());
    assert!(events.try_next().is_none());
    std::fs::remove_file(&file).unwrap();
    assert_eq!(block_on(house.kernel.renew_secrets(&id)).unwrap_err().code(), Code::ConfigInvalid);
    assert_eq!(key(), json!("canary-the-next"));
}

#[test]
fn a_plugin_s_own_manifest_names_no_secrets_of_the_host() {
    let (_folder, file) = hidden();
    let house = house(&file);
    let own = json!({"token": {"secret": format!("file:{}", file.display())}});
    house.load(&PluginFolder::fake("p", "probe\n1").with("config", own.clone()));
    assert_eq!(serde_json::from_str::<Value>(&house.call("p/config", "").unwrap()).unwrap(), own);
}

#[test]
fn places_of_secrets_can_change_while_the_kernel_runs() {
    let (folder, file) = hidden();
    let house = house(&file);
    house.kernel.set_policy(&name("p"), policy(json!({"key": {"secret": "api"}}), &["secret.read"]));
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("permissions", json!(["secret.read"])));
    let other = folder.path().join("other");
    std::fs::write(&other, "canary-elsewhere").unwrap();
    let place = SecretRef::File(other);
    house.kernel.set_secrets(BTreeMap::from([("api".to_owned(), place.clone()), ("more".to_owned(), place)]));
    let ask = |name: &str| house.call("p/host", &json!({"function": "secret.get", "args": {"name": name}}).to_string());
    assert_eq!((ask("api").unwrap(), ask("more").unwrap()), ("canary-elsewhere".into(), "canary-elsewhere".into()));
    block_on(house.kernel.renew_secrets(&id)).unwrap();
    let config: Value = serde_json::from_str(&house.call("p/config", "").unwrap()).unwrap();
    assert_eq!(config["key"], "canary-elsewhere");
}

#[test]
fn secret_get_passes_the_gate() {
    let (_folder, file) = hidden();
    let house = house(&file);
    let asking = PluginFolder::fake("p", "probe\n1").with("permissions", json!(["secret.read"]));
    let id = house.load(&asking);
    let ask = |name: &str| house.call("p/host", &json!({"function": "secret.get", "args": {"name": name}}).to_string());
    // The probe passes on what it is told.
    let refused = |name: &str| ask(name).unwrap_err().code().to_string();
    assert_eq!(refused("api"), "permission_denied");
    house.grant(&id, "secret.read:a*");
    assert_eq!(ask("api").unwrap(), CANARY);
    assert_eq!(refused("absent"), "invalid_input");
    assert_eq!(refused("other"), "permission_denied");
}

#[test]
fn units_reach_the_plugin_as_its_schema_says() {
    let house = House::new();
    let schema = json!({"properties": {"timeout": {"type": "integer", "format": "duration", "default": "1m"}, "ttl": {"type": "string"}}});
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("config_schema", schema));
    assert_eq!(block_on(house.kernel.config(&id)).unwrap(), json!({"timeout": 60_000}));
    block_on(house.kernel.update_config(&id, object(json!({"timeout": "30s", "ttl": "1h"})))).unwrap();
    assert_eq!(block_on(house.kernel.config(&id)).unwrap(), json!({"timeout": 30_000, "ttl": "1h"}));
}

#[test]
fn changes_at_the_same_time_come_one_after_the_other() {
    let house = House::new();
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("instances", crate::house::pool(3, 3)));
    let kernel = &house.kernel;
    std::thread::scope(|scope| {
        for number in 0..8 {
            let id = id.clone();
            scope.spawn(move || block_on(kernel.update_config(&id, object(json!({"n": number})))).unwrap());
        }
    });
    let settled = block_on(house.kernel.config(&id)).unwrap();
    for _ in 0..12 {
        assert_eq!(serde_json::from_str::<Value>(&house.call("p/config", "").unwrap()).unwrap(), settled);
    }
}

#[test]
fn the_host_s_limits_stand_below_those_of_manifests_and_policies() {
    let fake = Fake::new().program("probe", probe());
    let house = House::over(fake, |builder| builder.limits(Limits { payload: Some(4), ..Limits::default() }));
    house.probe("plain");
    assert_eq!(house.call("plain/echo", "12345").unwrap_err().code(), Code::LimitExceeded);
    house.load(&PluginFolder::fake("wider", "probe\n1").with("limits", json!({"payload": 8})));
    assert_eq!(house.call("wider/echo", "12345").unwrap(), "12345");
    house.limit("widest", Limits { payload: Some(16), ..Limits::default() });
    house.load(&PluginFolder::fake("widest", "probe\n1").with("limits", json!({"payload": 2})));
    assert_eq!(house.call("widest/echo", "123456789").unwrap(), "123456789");
    // Others count from the next load of each.
    house.kernel.set_limits(Limits { payload: Some(5), ..Limits::default() }, Bounds::default());
    assert_eq!(house.call("plain/echo", "12345").unwrap_err().code(), Code::LimitExceeded);
    block_on(house.kernel.reload(&name("plain"))).unwrap();
    assert_eq!(house.call("plain/echo", "12345").unwrap(), "12345");
}
