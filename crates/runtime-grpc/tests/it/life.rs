//! What a service is told over the life of its plugin.

use std::sync::atomic::Ordering;

use midplane_contract::Code;
use midplane_kernel::block_on;
use midplane_runtime_grpc::Settings;
use midplane_testkit::eventually;
use serde_json::json;

use crate::service::Service;
use crate::stage::Stage;
use crate::subject::connections_to;

#[test]
fn a_pool_of_instances_is_one_session_at_every_endpoint() {
    let services = ["a", "b"].map(Service::start);
    let stage = Stage::of(&services.each_ref().map(Service::address), Settings::default());
    for service in &services {
        service.state.open.send_replace(true);
    }
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(|| stage.call("gate", ""))).collect();
        calls.into_iter().for_each(|call| drop(call.join().unwrap().unwrap()));
    });
    block_on(stage.kernel.stop(&stage.id())).unwrap();
    block_on(stage.kernel.start(&stage.id())).unwrap();
    block_on(stage.kernel.unload(&stage.id())).unwrap();
    let expected = ["initialize far 1.0.0 {}", "start", "stop", "start", "stop", "shutdown"];
    for service in &services {
        assert_eq!(*service.state.told.lock().unwrap(), expected);
        assert!(eventually(|| connections_to(service.at.port()) == 0));
    }
}

#[test]
fn the_way_back_on_which_nothing_was_ever_asked_ends_with_its_plugin() {
    let service = Service::start("a");
    service.state.asks.store(true, Ordering::SeqCst);
    let stage = Stage::of(&[service.address()], Settings::default());
    assert_eq!(stage.call("name", "").unwrap(), b"a");
    assert!(connections_to(service.at.port()) > 0);
    block_on(stage.kernel.unload(&stage.id())).unwrap();
    assert!(eventually(|| connections_to(service.at.port()) == 0));
}

#[test]
fn a_hook_that_a_service_does_not_have_is_no_error_of_its_endpoint() {
    let service = Service::start("a");
    service.state.startless.store(true, Ordering::SeqCst);
    let stage = Stage::of(&[service.address()], Settings::default());
    assert_eq!(stage.call("name", "").unwrap(), b"a");
    let shown = stage.endpoint(0);
    assert_eq!((&shown["errors"], &shown["last_error"]), (&json!(0), &json!(null)), "{shown}");
}

#[test]
fn a_configuration_that_one_endpoint_refuses_is_taken_back_everywhere() {
    let services = ["a", "b"].map(Service::start);
    let stage = Stage::of(&services.each_ref().map(Service::address), Settings::default());
    services[1].state.stubborn.store(true, Ordering::SeqCst);
    let config = json!({ "n": 1 }).as_object().cloned().unwrap();
    let error = block_on(stage.kernel.update_config(&stage.id(), config)).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert_eq!(error.record().data["code"], "stubborn");
    let told = services[0].state.told.lock().unwrap().clone();
    assert_eq!(told[2..], [r#"config_changed {"n":1}"#, "config_changed {}"]);
}

#[test]
fn limits_that_nobody_can_hold_from_afar_are_refused() {
    let service = Service::start("a");
    let stage = Stage::new(Settings::default());
    let policy = midplane_kernel::Policy {
        limits: midplane_contract::Limits { memory: Some(1 << 20), ..Default::default() },
        ..Default::default()
    };
    stage.kernel.set_policy(&stage.id(), policy);
    let error = stage.load(&json!({ "endpoints": [service.address()] })).unwrap_err();
    assert_eq!(error.code(), Code::LimitNotEnforceable);
}
