use std::time::Duration;

use midplane_contract::{Code as Fault, Kind, RuntimeKind};
use midplane_kernel::{Condition, Scope};

use crate::stage::{alive, call, eventually, load, load_with, request, runtime};

#[test]
fn every_way_to_die_in_a_call_is_reported_with_its_cause() {
    for (action, key, value, words) in [
        ("abort", "signal", libc::SIGABRT, ""),
        ("crash", "signal", libc::SIGSEGV, ""),
        ("overflow", "signal", libc::SIGABRT, "has overflowed its stack"),
        ("exit", "exit", 9, ""),
    ] {
        for _ in 0..5 {
            let mut echo = load(RuntimeKind::Native, 1);
            echo.call("say", b"last words\n").unwrap();
            let error = echo.call(action, b"").unwrap_err();
            assert_eq!(error.code(), Fault::Crashed, "{action}: {error:?}");
            assert_eq!(error.record().data[key], value, "{action}");
            let message = &error.record().message;
            assert!(message.contains("last words") && message.contains(words), "{action}: {message}");
            assert!(matches!(echo.instances[0].condition(), Condition::Dead(_)));
            assert_eq!(echo.call("echo", b"").unwrap_err().code(), Fault::Crashed);
            assert!(!alive(echo.pid()));
            assert!(echo.host.lost.lock().unwrap().is_none(), "the caller was told");
        }
    }
}

#[test]
fn siblings_in_other_processes_survive_a_death() {
    let mut echo = load(RuntimeKind::Native, 2);
    let action = echo.action("echo");
    assert_eq!(echo.call("abort", b"").unwrap_err().code(), Fault::Crashed);
    assert_eq!(call(&mut *echo.instances[1], action, "echo", b"here", &Scope::default()).unwrap(), b"here");
}

#[test]
fn a_pool_is_replaced_after_its_process_died() {
    let mut echo = load(RuntimeKind::Wasm, 2);
    assert_eq!(echo.call("abort", b"").unwrap_err().code(), Fault::Crashed);
    let host = echo.host.clone();
    echo.instances[0] = echo.code.instantiate(crate::stage::context(0, host)).unwrap();
    assert_eq!(echo.call("echo", b"anew").unwrap(), b"anew");
}

#[test]
fn a_death_while_nobody_calls_is_reported() {
    let mut echo = load(RuntimeKind::Native, 1);
    echo.call("quit-later", b"").unwrap();
    eventually("the host hears of it", || echo.host.lost.lock().unwrap().is_some());
    let lost = echo.host.lost.lock().unwrap().clone().unwrap();
    assert_eq!((lost.code(), &lost.record().data["exit"]), (Fault::Crashed, &3.into()));
}

#[test]
fn what_does_not_stop_is_killed_at_the_end_of_its_grace() {
    let mut echo = load(RuntimeKind::Native, 1);
    let pid = echo.pid();
    let error = echo.call_within("hang", b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(!alive(pid));
    assert!(
        matches!(echo.instances[0].condition(), Condition::Spent(_)),
        "one process per instance: another can be made"
    );
    let host = echo.host.clone();
    echo.instances[0] = echo.code.instantiate(crate::stage::context(1, host)).unwrap();
    assert_eq!(echo.call("echo", b"anew").unwrap(), b"anew");
}

#[test]
fn what_a_dropped_future_leaves_hanging_is_killed() {
    use std::task::{Context, Waker};
    let mut echo = load(RuntimeKind::Native, 1);
    let (pid, action) = (echo.pid(), echo.action("hang"));
    let scope = Scope::default();
    let hang = midplane_kernel::Call { action, name: "hang", input: b"", scope: &scope };
    let mut out = Vec::new();
    let mut reply = midplane_kernel::Reply::buffer(&mut out, 10);
    let mut future = echo.instances[0].call(&hang, &mut reply).unwrap();
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(future);
    eventually("the process is gone", || !alive(pid));
    echo.instances[0].settle();
    assert!(matches!(echo.instances[0].condition(), Condition::Spent(_)));
    let host = echo.host.clone();
    echo.instances[0] = echo.code.instantiate(crate::stage::context(1, host)).unwrap();
    assert_eq!(echo.call("echo", b"anew").unwrap(), b"anew");
    assert!(echo.host.lost.lock().unwrap().is_none(), "the plugin goes on with another instance");
}

#[test]
fn a_death_while_loading_is_a_load_error_that_quotes_the_exit() {
    let mut wanted = request(RuntimeKind::Native);
    wanted.main = "/nowhere/exits".into();
    let error = load_with(&runtime(RuntimeKind::Native), &wanted, 1).err().unwrap();
    assert_eq!(
        (error.code(), error.record().kind, &error.record().data["exit"]),
        (Fault::Crashed, Kind::Load, &7.into())
    );
}

#[test]
fn a_load_that_never_ends_is_ended() {
    let mut wanted = request(RuntimeKind::Native);
    wanted.main = "/nowhere/slow".into();
    let runtime = runtime(RuntimeKind::Native).patience(Duration::from_secs(60), Duration::from_millis(100));
    let error = load_with(&runtime, &wanted, 1).err().unwrap();
    assert_eq!((error.code(), error.record().kind), (Fault::DeadlineExceeded, Kind::Load));
}
