//! WASI preview 1: modules that import it run, and find nothing behind it.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::Code;
use serde_json::{Value, json};

use crate::kit::{Remembering, call, call_within, instance, instance_on, load, module_with};

const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

/// A module with one action, `run`, whose result is the four bytes that the text leaves as an `i32`.
fn running(rest: &str, run: &str) -> Arc<dyn midplane_kernel::Code> {
    let action = format!(
        r#"{rest} (func $run (result i32) {run})
        (func (export "plugin_run") (param i32 i32) (result i64)
            (i32.store (i32.const 0) (call $run)) (i64.const 4))"#
    );
    load(&module_with(IMPORTS, &action)).unwrap()
}

/// The result of the action.
fn run(rest: &str, text: &str) -> i32 {
    let mut instance = instance(&running(rest, text));
    let bytes = call(&mut *instance, 0, b"").unwrap();
    i32::from_le_bytes(bytes.try_into().unwrap())
}

#[test]
fn there_are_no_arguments_variables_folders_or_files() {
    assert_eq!(
        run(
            "",
            "(i32.store (i32.const 64) (i32.const 7)) (drop (call $args (i32.const 64) (i32.const 68))) (i32.load (i32.const 64))"
        ),
        0
    );
    assert_eq!(
        run(
            "",
            "(i32.store (i32.const 64) (i32.const 7)) (drop (call $environ (i32.const 64) (i32.const 68))) (i32.load (i32.const 64))"
        ),
        0
    );
    assert_eq!(run("", "(call $prestat (i32.const 3) (i32.const 64))"), 8);
    let open = "(call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 72))";
    assert_eq!(run("", open), 8);
    assert_eq!(
        run(
            "",
            "(i32.store (i32.const 64) (i32.const 7)) (drop (call $read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))) (i32.load (i32.const 64))"
        ),
        0
    );
}

#[test]
fn clocks_and_random_bytes_are_given() {
    assert_ne!(run("", "(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 64))) (i32.load (i32.const 68))"), 0);
    assert_eq!(run("", "(call $clock (i32.const 9) (i64.const 0) (i32.const 64))"), 28);
    let random = "(drop (call $random (i32.const 64) (i32.const 4))) (i32.load (i32.const 64))";
    assert!((0..4).any(|_| run("", random) != run("", random)), "the same bytes again and again");
}

#[test]
fn what_is_printed_goes_to_the_log_line_by_line() {
    let text = r#"(data (i32.const 256) "one\ntw") (data (i32.const 272) "o\n")"#;
    let pieces = "(i32.store (i32.const 64) (i32.const 256)) (i32.store (i32.const 68) (i32.const 6))
        (i32.store (i32.const 72) (i32.const 272)) (i32.store (i32.const 76) (i32.const 2))
        (drop (call $write (i32.const 1) (i32.const 64) (i32.const 2) (i32.const 80))) (i32.load (i32.const 80))";
    let host = Arc::new(Remembering::default());
    let mut instance = instance_on(&running(text, pieces), host.clone()).unwrap();
    assert_eq!(call(&mut *instance, 0, b"").unwrap(), 8_i32.to_le_bytes());
    let lines = host.asked.lock().unwrap();
    let said = |n: usize| serde_json::from_str::<Value>(&lines[n].1).unwrap()["message"].clone();
    assert_eq!((lines.len(), said(0), said(1)), (2, json!("one"), json!("two")));
    assert_eq!(run(text, "(call $write (i32.const 3) (i32.const 64) (i32.const 0) (i32.const 80))"), 8);
}

#[test]
fn an_exit_is_a_trap_and_pointers_outside_memory_too() {
    for (text, words) in [
        ("(call $exit (i32.const 3)) (i32.const 0)", "exit code 3"),
        ("(call $random (i32.const -1) (i32.const 4))", "invalid memory access"),
        ("(call $write (i32.const 1) (i32.const -4) (i32.const 1) (i32.const 0))", "invalid memory access"),
        ("(call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0))", "invalid memory access"),
        ("(call $poll (i32.const -8) (i32.const 0) (i32.const 1) (i32.const 0))", "invalid memory access"),
    ] {
        let error = call(&mut *instance(&running("", text)), 0, b"").unwrap_err();
        assert_eq!(error.code(), Code::Trapped, "{text}: {error}");
        assert!(error.record().message.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_sleep_ends_with_the_time_of_its_call() {
    let hour = "(i64.store (i32.const 88) (i64.const 3600000000000))
        (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192))";
    let error = call_within(&mut *instance(&running("", hour)), 0, b"", Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    let moment = "(i64.store (i32.const 64) (i64.const 77)) (i64.store (i32.const 88) (i64.const 1000000))
        (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))
        (i32.add (i32.load (i32.const 128)) (i32.load (i32.const 192)))";
    assert_eq!(run("", moment), 78);
}
