use midplane_contract::{Code as Fault, Hook};
use midplane_kernel::{Condition, Scope};
use serde_json::{Value, json};

use crate::workshop::{Workshop, call};

#[test]
fn a_rust_plugin_says_exactly_what_it_has() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let facts = code.facts();
    assert_eq!(facts.hooks, [Hook::Info, Hook::Init, Hook::Health, Hook::ExportState]);
    assert_eq!(facts.info.version, env!("CARGO_PKG_VERSION"));
    let greet = facts.info.actions.iter().find(|action| action.name.as_str() == "greet").unwrap();
    assert_eq!(greet.description.as_deref(), Some("Greets a guest"));
}

#[test]
fn typed_actions_and_hooks_work_through_the_abi() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let mut instance = code.instantiate(shop.context(3)).unwrap();
    instance.hook(Hook::Init, br#"{"depth":2}"#, &Scope::default()).unwrap().unwrap();
    assert_eq!(call(&*code, &mut *instance, "config", b"").unwrap(), br#"{"depth":2}"#);
    assert_eq!(call(&*code, &mut *instance, "greet", br#"{"name":"Ada"}"#).unwrap(), br#"{"hello":"Ada"}"#);
    let identity: Value = serde_json::from_slice(&call(&*code, &mut *instance, "identity", b"").unwrap()).unwrap();
    assert_eq!(identity, json!({"id": "test.plugin", "version": "1.0.0", "generation": 7, "number": 3}));
    call(&*code, &mut *instance, "count", b"").unwrap();
    let health = instance.hook(Hook::Health, b"", &Scope::default()).unwrap().unwrap();
    assert_eq!(health, br#"{"status":"healthy","details":{"calls":1}}"#);
    let state = instance.hook(Hook::ExportState, b"", &Scope::default()).unwrap().unwrap();
    assert_eq!(state, 1_u64.to_le_bytes());
    assert_eq!(instance.hook(Hook::Migrate, b"", &Scope::default()).unwrap(), None);
}

#[test]
fn input_that_does_not_fit_says_where() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let error = call(&*code, &mut *instance, "greet", br#"{"nome":"Ada"}"#).unwrap_err();
    assert_eq!(error.record().data["code"], "invalid_input");
    assert!(error.record().message.contains("missing field `name` at line 1 column 14"), "{}", error.record().message);
}

#[test]
fn a_panic_is_an_error_and_spends_the_instance_alone() {
    let shop = Workshop::new();
    let code = shop.load(&shop.rust("fixture_one")).unwrap();
    let (mut broken, mut sibling) = (shop.instance(&*code).unwrap(), shop.instance(&*code).unwrap());
    let error = call(&*code, &mut *broken, "panic", b"").unwrap_err();
    assert_eq!(error.code(), Fault::Panicked);
    assert_eq!(error.record().message, "the door fell off");
    assert!(matches!(broken.condition(), Condition::Spent(cause) if cause.code() == Fault::Panicked));
    assert!(matches!(sibling.condition(), Condition::Ready));
    assert_eq!(call(&*code, &mut *sibling, "answer", b"").unwrap(), b"one");
}
