//! Endpoints that go, fall silent, refuse, or are something else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use midplane_contract::{Code, Error, State as PluginState};
use midplane_kernel::block_on;
use midplane_runtime_grpc::Settings;
use midplane_testkit::eventually;
use serde_json::json;

use crate::service::{Service, State};
use crate::stage::Stage;

type Answers = Vec<Result<Vec<u8>, Error>>;

/// 64 calls of an action at once over three endpoints, one of which is killed when all are under way.
fn kill_one_of_three(action: &str) -> (Answers, [usize; 3], String) {
    let mut services = ["a", "b", "c"].map(Service::start);
    let stage = Stage::of(&services.each_ref().map(Service::address), Settings::default());
    let under_way = |services: &[Service; 3]| services.each_ref().map(|one| one.state.waiting.load(Ordering::SeqCst));
    let mut share = [0; 3];
    let victim = services[1].address();
    let answers = thread::scope(|scope| {
        let calls: Vec<_> = (0..64).map(|_| scope.spawn(|| stage.call(action, ""))).collect();
        assert!(eventually(|| under_way(&services).iter().sum::<usize>() == 64), "{:?}", under_way(&services));
        share = under_way(&services);
        services[1].kill();
        services[0].state.open.send_replace(true);
        services[2].state.open.send_replace(true);
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    (answers, share, victim)
}

#[test]
fn killing_one_of_three_endpoints_costs_no_idempotent_call() {
    let (answers, share, _) = kill_one_of_three("gate");
    assert!(share.iter().all(|calls| *calls >= 10), "{share:?}");
    for answer in answers {
        let who = answer.unwrap();
        assert!(who == b"a" || who == b"c", "{who:?}");
    }
}

#[test]
fn killing_one_of_three_endpoints_costs_only_its_own_calls_of_other_actions() {
    let (answers, share, victim) = kill_one_of_three("gate-once");
    let failed: Vec<Error> = answers.into_iter().filter_map(Result::err).collect();
    assert_eq!(failed.len(), share[1]);
    for error in failed {
        assert_eq!(error.code(), Code::PeerGone, "{error}");
        assert_eq!(error.record().data["endpoint"], json!(victim));
        assert!(error.record().recoverable && error.record().remedy.is_some());
    }
}

#[test]
fn a_service_that_comes_back_is_brought_to_where_it_was() {
    let mut service = Service::start("a");
    let stage = Stage::of(&[service.address()], Settings::default());
    let config = json!({ "color": "green" }).as_object().cloned().unwrap();
    block_on(stage.kernel.update_config(&stage.id(), config)).unwrap();
    service.kill();
    assert!(eventually(|| stage.endpoint(0)["state"] != "ready"));
    let error = stage.call("gate-once", "").unwrap_err();
    assert_eq!(error.code(), Code::PeerGone);
    assert!(error.record().message.contains(&service.address()), "{error}");
    assert_eq!(stage.kernel.status(&stage.id()).unwrap().state, PluginState::Running);
    service.state.told.lock().unwrap().clear();
    service.restart();
    assert!(eventually(|| stage.endpoint(0)["state"] == "ready"));
    assert_eq!(stage.call("echo", "again").unwrap(), b"again");
    assert_eq!(*service.state.told.lock().unwrap(), [r#"initialize far 1.0.0 {"color":"green"}"#, "start"]);
    assert!(stage.endpoint(0)["last_error"]["message"].is_string());
}

#[test]
fn an_idempotent_call_waits_for_a_service_that_is_being_restarted() {
    let mut service = Service::start("a");
    let patient = Settings { retry_pause: Duration::from_secs(20), ..Settings::default() };
    let stage = Stage::of(&[service.address()], patient);
    service.kill();
    assert!(eventually(|| stage.endpoint(0)["state"] != "ready"));
    thread::scope(|scope| {
        let call = scope.spawn(|| stage.call("echo", "waited"));
        service.restart();
        assert_eq!(call.join().unwrap().unwrap(), b"waited");
    });
}

#[test]
fn a_service_that_does_not_serve_is_refused_and_later_left_out() {
    let idle = Service::start("a");
    idle.state.serves.store(false, Ordering::SeqCst);
    let stage = Stage::new(Settings::default());
    let error = stage.load(&json!({ "endpoints": [idle.address()] })).unwrap_err();
    assert_eq!(error.code(), Code::NotRunning);
    assert!(error.record().message.contains("not SERVING"), "{error}");

    let services = ["a", "b"].map(Service::start);
    let quick = Settings { probe_interval: Duration::from_millis(20), ..Settings::default() };
    let stage = Stage::of(&services.each_ref().map(Service::address), quick);
    services[0].state.serves.store(false, Ordering::SeqCst);
    assert!(eventually(|| stage.endpoint(0)["state"] == "not_serving"));
    for _ in 0..10 {
        assert_eq!(stage.call("name", "").unwrap(), b"b");
    }
    services[0].state.serves.store(true, Ordering::SeqCst);
    assert!(eventually(|| stage.call("name", "").unwrap() == b"a"));
}

#[test]
fn a_service_that_says_unavailable_is_tried_three_times_more_where_that_is_allowed() {
    let service = Service::start("a");
    let quick = Settings { retry_pause: Duration::from_millis(1), ..Settings::default() };
    let stage = Stage::of(&[service.address()], quick);
    let error = stage.call("status", "14").unwrap_err();
    assert_eq!(error.code(), Code::PeerGone);
    assert_eq!(service.state.calls.load(Ordering::SeqCst), 4);
    // What the plugin refuses is not tried again.
    stage.call("status", "9").unwrap_err();
    assert_eq!(service.state.calls.load(Ordering::SeqCst), 5);
}

#[test]
fn where_nobody_listens_or_somebody_else_does_the_load_says_so() {
    let quick = Settings { dial: Duration::from_millis(500), ..Settings::default() };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stage = Stage::new(quick.clone());
    let error = stage.load(&json!({ "endpoints": [format!("grpc://{nobody}")] })).unwrap_err();
    assert_eq!(error.code(), Code::PeerGone);
    assert!(error.record().message.contains(&format!("grpc://{nobody} cannot be reached")), "{error}");

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = web.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in web.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let error = Stage::new(quick.clone()).load(&json!({ "endpoints": [format!("grpc://{at}")] })).unwrap_err();
    assert_eq!(error.code(), Code::PeerGone, "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let error = Stage::new(quick).load(&json!({ "endpoints": [format!("grpc://{at}")] })).unwrap_err();
    assert_eq!(error.code(), Code::PeerGone, "{error}");
    assert!(error.record().message.contains("within 500 ms"), "{error}");
}

#[test]
fn an_endpoint_that_lacks_what_the_others_offer_gets_no_calls() {
    let mut newer = State::new("newer");
    newer.more = vec!["extra"];
    let (newer, mut late) = (Service::with(newer, None), Service::start("older"));
    late.kill();
    let stage = Stage::of(&[newer.address(), late.address()], Settings::default());
    late.restart();
    assert!(eventually(|| stage.endpoint(1)["last_error"]["code"] == "build_id_mismatch"));
    let shown = stage.endpoint(1)["last_error"]["message"].to_string();
    assert!(shown.contains("`extra` is missing"), "{shown}");
    for _ in 0..4 {
        assert_eq!(stage.call("name", "").unwrap(), b"newer");
    }
}

#[test]
fn a_connection_that_falls_silent_is_given_up() {
    let service = Service::start("a");
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = proxy.local_addr().unwrap();
    let silent = Arc::new(AtomicBool::new(false));
    let (to, quiet) = (service.at, Arc::clone(&silent));
    thread::spawn(move || {
        for from in proxy.incoming().flatten() {
            let to = std::net::TcpStream::connect(to).unwrap();
            for (mut from, mut to) in [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)] {
                let quiet = Arc::clone(&quiet);
                thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(count @ 1..) = from.read(&mut bytes) {
                        // What is swallowed here is what a dead link swallows.
                        if !quiet.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
                            return;
                        }
                    }
                });
            }
        }
    });
    let settings = Settings {
        keep_alive: Duration::from_millis(50),
        keep_alive_timeout: Duration::from_millis(50),
        dial: Duration::from_secs(1),
        ..Settings::default()
    };
    let stage = Stage::of(&[format!("grpc://{at}")], settings);
    assert_eq!(stage.call("echo", "x").unwrap(), b"x");
    silent.store(true, Ordering::SeqCst);
    let error = stage.call("forever", "").unwrap_err();
    assert_eq!(error.code(), Code::PeerGone, "{error}");
}
