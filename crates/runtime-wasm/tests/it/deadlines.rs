//! Time: deadlines, cancellation, yielding, and that siblings never notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Hook};
use midplane_kernel::{Call, Condition, Deadline, Instance, Reply, Scope};
use serde_json::json;

use crate::kit::{
    ECHO, call, call_async, call_within, component, component_text, instance, limited, load, load_with, module,
};

const LOOP: &str = r#"(func (export "plugin_loop") (param i32 i32) (result i64) (loop $on (br $on)) (i64.const 0))"#;
const SHORT: Duration = Duration::from_millis(30);

#[test]
fn a_loop_ends_at_its_deadline_and_the_instance_is_spent() {
    let code = load(&module(&format!("{LOOP}{ECHO}"))).unwrap();
    let mut looping = instance(&code);
    let error = call_within(&mut *looping, 1, b"", SHORT).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(matches!(looping.condition(), Condition::Spent(_)));
    assert_eq!(call(&mut *instance(&code), 0, b"a sibling").unwrap(), b"a sibling");
}

#[test]
fn a_deadline_in_the_past_ends_a_loop_too() {
    let code = load(&module(LOOP)).unwrap();
    let scope = Scope { deadline: Deadline::At(Instant::now()), ..Scope::default() };
    let mut buffer = Vec::new();
    let call = Call { action: 0, name: "loop", input: b"", scope: &scope };
    let error = instance(&code).call_inline(&call, &mut Reply::buffer(&mut buffer, 9)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[test]
fn one_instance_loops_until_its_deadline_while_another_completes_ten_thousand_calls() {
    let code = load(&module(&format!("{LOOP}{ECHO}"))).unwrap();
    let (mut looping, mut working) = (instance(&code), instance(&code));
    let (done, stop) = (AtomicBool::new(false), looping.interrupter().unwrap());
    std::thread::scope(|threads| {
        let hanging = threads.spawn(|| {
            let outcome = call_within(&mut *looping, 1, b"", Duration::from_secs(120));
            (outcome, done.load(Ordering::SeqCst))
        });
        for _ in 0..10_000 {
            assert_eq!(call(&mut *working, 0, b"x").unwrap(), b"x");
        }
        done.store(true, Ordering::SeqCst);
        stop.interrupt();
        let (outcome, worked) = hanging.join().unwrap();
        assert_eq!(outcome.unwrap_err().code(), Code::Cancelled);
        assert!(worked, "the loop ended before its sibling was done");
    });
    assert!(matches!(working.condition(), Condition::Ready));
}

#[test]
fn an_interrupt_touches_only_the_call_that_runs() {
    let code = load(&module(&format!("{LOOP}{ECHO}"))).unwrap();
    let mut instance = instance(&code);
    let stop = instance.interrupter().unwrap();
    stop.interrupt();
    assert_eq!(call(&mut *instance, 0, b"x").unwrap(), b"x");
    stop.interrupt();
    let error = call_within(&mut *instance, 1, b"", SHORT).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[test]
fn recursion_is_a_trap_that_says_so() {
    let code = load(&module(
        r#"(func $deep (export "plugin_deep") (param i32 i32) (result i64)
            (i64.add (call $deep (local.get 0) (local.get 1)) (i64.const 1)))"#,
    ))
    .unwrap();
    let error = call(&mut *instance(&code), 0, b"").unwrap_err();
    assert_eq!((error.code(), &error.record().data["trap"]), (Code::Trapped, &json!("stack_overflow")));
    let error = call_async(&mut *instance(&code), 0, b"").unwrap().unwrap_err();
    assert_eq!((error.code(), &error.record().data["trap"]), (Code::Trapped, &json!("stack_overflow")));
}

#[test]
fn start_functions_and_hooks_that_loop_are_stopped_while_loading() {
    let limits = midplane_contract::Limits { hook_deadline_ms: Some(30), ..Default::default() };
    let start = module("(func $start (loop $on (br $on))) (start $start)");
    assert_eq!(limited(&start, limits.clone()).err().unwrap().code(), Code::DeadlineExceeded);
    let initialize = module(r#"(func (export "_initialize") (loop $on (br $on)))"#);
    assert_eq!(limited(&initialize, limits.clone()).err().unwrap().code(), Code::DeadlineExceeded);
    let info = module("").replace("(result i64) (i64.const 0))", "(result i64) (loop $on (br $on)) (i64.const 0))");
    assert_eq!(limited(&info, limits).err().unwrap().code(), Code::DeadlineExceeded);
}

#[test]
fn a_hook_that_hangs_and_one_that_traps_are_told_apart() {
    let text = module("")
        .replace(r#"(export "plugin_start")"#, r#"(export "plugin_start") (loop $on (br $on))"#)
        .replace(r#"(export "plugin_stop")"#, r#"(export "plugin_stop") unreachable"#);
    let code = load(&text).unwrap();
    let scope = Scope::within(SHORT);
    let error = instance(&code).hook(Hook::Start, b"", &scope).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    let error = instance(&code).hook(Hook::Stop, b"", &scope).unwrap_err();
    assert_eq!((error.code(), &error.record().data["trap"]), (Code::Trapped, &json!("unreachable")));
}

/// Polls a call until `enough` yields, then drops it. Says how often it yielded.
fn poll_then_drop(instance: &mut dyn Instance, action: u32, enough: u32) -> u32 {
    let (scope, mut buffer) = (Scope::within(Duration::from_secs(120)), Vec::new());
    let call = Call { action, name: "loop", input: b"", scope: &scope };
    let mut reply = Reply::buffer(&mut buffer, 9);
    let mut running = instance.call(&call, &mut reply).expect("it can share an executor");
    let mut context = Context::from_waker(Waker::noop());
    (0..enough).take_while(|_| matches!(running.as_mut().poll(&mut context), Poll::Pending)).count().try_into().unwrap()
}

#[test]
fn a_dropped_future_ends_a_loop_and_leaves_the_instance_spent() {
    for code in [
        load(&module(LOOP)).unwrap(),
        load_with(&component(&component_text("", "", "(loop $on (br $on))")), &json!({})).unwrap(),
    ] {
        let action = u32::try_from(code.facts().actions.len()).unwrap() - 1;
        let mut instance = instance(&code);
        assert_eq!(poll_then_drop(&mut *instance, action, 3), 3, "a loop yields");
        let Condition::Spent(error) = instance.condition() else { panic!("it must not be used again") };
        assert_eq!(error.code(), Code::Cancelled);
    }
}

#[test]
fn loops_on_one_executor_thread_leave_room_for_others() {
    let code = load(&module(&format!("{LOOP}{ECHO}"))).unwrap();
    let mut looping: Vec<_> = (0..8).map(|_| instance(&code)).collect();
    let mut working = instance(&code);
    let scope = Scope { deadline: Deadline::After(SHORT), ..Scope::default() };
    let call = Call { action: 1, name: "loop", input: b"", scope: &scope };
    let mut buffers = vec![Vec::new(); 8];
    let mut replies: Vec<_> = buffers.iter_mut().map(|buffer| Reply::buffer(buffer, 9)).collect();
    let executor = futures_lite::future::block_on;
    let mut hanging: Vec<_> =
        looping.iter_mut().zip(&mut replies).map(|(one, reply)| one.call(&call, reply).unwrap()).collect();
    let mut context = Context::from_waker(Waker::noop());
    for one in &mut hanging {
        assert!(one.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(call_async(&mut *working, 0, b"answered").unwrap().unwrap(), b"answered");
    for one in hanging {
        assert_eq!(executor(one).unwrap_err().code(), Code::DeadlineExceeded);
    }
}

#[test]
fn the_clock_wakes_up_after_everything_was_idle() {
    let code = load(&module(LOOP)).unwrap();
    for _ in 0..3 {
        let error = call_within(&mut *instance(&code), 0, b"", SHORT).unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        // Longer than the clock waits before it parks; that it did is not asserted, only that a deadline still holds.
        std::thread::park_timeout(Duration::from_millis(400));
    }
}

#[test]
fn calls_from_many_threads_do_not_disturb_each_other() {
    let code = load(&module(ECHO)).unwrap();
    let code = &code;
    std::thread::scope(|threads| {
        for number in 0..8_u32 {
            threads.spawn(move || {
                let mut instance = instance(code);
                for round in 0..1_000_u32 {
                    let input = (number * 10_000 + round).to_le_bytes();
                    assert_eq!(call(&mut *instance, 0, &input).unwrap(), input);
                }
            });
        }
    });
    let _ = Arc::clone(code);
}
