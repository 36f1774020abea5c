//! Plugins that hang, eat memory and fall: each gets its typed error in time, and its neighbours notice nothing.

use midplane_contract::{Code, Limits};
use midplane_kernel::block_on;
use serde_json::json;

use crate::stage::Stage;

const SIBLING: &str = "let n = 0; export default { count: () => ++n };";

/// Loads both, calls the bad action in every way, and looks at the sibling and at what is left of the bad one.
fn ends(id: &str, source: &str, code: Code) {
    // Whoever is to be stopped by something else gets time for it.
    let milliseconds = if code == Code::DeadlineExceeded { 200 } else { 30_000 };
    let stage = Stage::new();
    stage.load("sibling", SIBLING);
    assert_eq!(stage.json("sibling/count", ""), json!(1));
    let limits = Limits { memory: Some(32 << 20), ..Limits::default() };
    let whole = format!("{source}\nexport const fine = () => 'fine';");
    stage.load_with(id, &[("plugin.js", &whole)], limits);
    for error in stage.errors_within(&format!("{id}/bad"), milliseconds) {
        assert_eq!(error.code(), code, "{error}: {:?}", error.record());
    }
    assert_eq!(stage.json(&format!("{id}/fine"), ""), json!("fine"));
    assert_eq!(stage.json("sibling/count", ""), json!(2));
}

#[test]
fn an_endless_loop_is_stopped() {
    ends("looping", "export const bad = () => { while (true); };", Code::DeadlineExceeded);
}

#[test]
fn an_endless_loop_that_catches_everything_is_stopped() {
    let source = "export const bad = () => { for (;;) { try { for (;;); } catch {} finally { for (;;); } } };";
    ends("catching", source, Code::DeadlineExceeded);
}

#[test]
fn a_backtracking_regular_expression_is_stopped() {
    let source = "export const bad = () => /^(a+)+$/.test('a'.repeat(50) + 'b');";
    ends("backtracking", source, Code::DeadlineExceeded);
}

#[test]
fn a_promise_that_never_settles_is_given_up() {
    ends("waiting", "export const bad = () => new Promise(() => {});", Code::DeadlineExceeded);
}

#[test]
fn endless_microtasks_are_stopped() {
    let source = "export const bad = () => new Promise(() => { const f = () => Promise.resolve().then(f); f(); });";
    ends("ticking", source, Code::DeadlineExceeded);
    let source = "export const bad = () => { const f = () => queueMicrotask(f); f(); };";
    ends("queueing", source, Code::DeadlineExceeded);
}

#[test]
fn an_endless_stream_into_one_reply_is_stopped() {
    ends("streaming", "export async function* bad() { for (;;) { yield ''; } }", Code::DeadlineExceeded);
}

#[test]
fn a_wait_for_a_lock_is_refused() {
    let source = "export const bad = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
    ends("locking", source, Code::Panicked);
}

#[test]
fn a_heap_that_grows_is_stopped_at_its_limit() {
    ends(
        "growing",
        "export const bad = () => { const a = []; for (;;) a.push('x'.repeat(1000) + a.length); };",
        Code::MemoryLimit,
    );
    ends(
        "buffering",
        "export const bad = () => { const a = []; for (;;) a.push(new Uint8Array(1 << 20)); };",
        Code::MemoryLimit,
    );
    ends("doubling", "export const bad = () => { let s = 'x'; for (;;) s += s + s.length; };", Code::Panicked);
}

#[test]
fn a_heap_that_grows_and_hides_it_is_stopped() {
    let source = "const kept = []; export const bad = () => { for (;;) { try { for (;;) kept.push(new Array(1000).fill(1)); } catch {} } };";
    ends("hiding", source, Code::DeadlineExceeded);
}

#[test]
fn a_recursion_without_end_is_the_plugins_own_mistake() {
    ends("falling", "export const bad = () => { const f = () => f() + 1; return f(); };", Code::Panicked);
    ends("nesting", "export const bad = () => JSON.parse('['.repeat(100000) + ']'.repeat(100000));", Code::Panicked);
    ends(
        "converting",
        "export const bad = () => { const o = { toString: () => '' + o }; return '' + o; };",
        Code::Panicked,
    );
}

#[test]
fn an_error_that_is_a_trap_itself_is_stopped() {
    ends("trapping", "export const bad = () => { throw { get code() { for (;;); } }; };", Code::DeadlineExceeded);
    ends("thenable", "export const bad = () => ({ get then() { for (;;); } });", Code::DeadlineExceeded);
    ends("serial", "export const bad = () => ({ toJSON() { for (;;); } });", Code::DeadlineExceeded);
}

#[test]
fn a_plugin_that_hangs_while_it_is_read_or_begins_is_no_plugin() {
    let stage = Stage::new();
    let limits = Limits { hook_deadline_ms: Some(200), ..Limits::default() };
    for (id, source) in [
        ("top", "for (;;);"),
        ("awaits", "await new Promise(() => {});"),
        ("init", "export const onInit = () => { for (;;); };"),
        ("start", "export const onStart = () => new Promise(() => {});"),
        ("infos", "export const info = () => { for (;;); };"),
    ] {
        let source = format!("export const fine = () => 1; {source}");
        let error = stage.try_load_with(id, &[("plugin.js", &source)], limits.clone()).unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{id}: {error}");
    }
}

#[test]
fn an_instance_whose_promise_was_late_keeps_what_it_knows() {
    let stage = Stage::new();
    stage.load(
        "patient",
        "let n = 0, aborted = 0;
         export default {
           late(input, ctx) { n++; ctx.signal.addEventListener('abort', () => aborted++); return new Promise(() => {}); },
           known: () => [n, aborted],
         };",
    );
    for error in stage.errors_within("patient/late", 100) {
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }
    assert_eq!(stage.json("patient/known", ""), json!([2, 2]));
}

#[test]
fn memory_without_room_for_an_engine_is_refused() {
    let stage = Stage::new();
    let limits = Limits { memory: Some(64 << 10), ..Limits::default() };
    let error = stage.try_load_with("tiny", &[("plugin.js", "export const a = 1;")], limits).unwrap_err();
    assert_eq!(error.code(), Code::MemoryLimit);
}

#[test]
fn instances_come_and_go_under_fire() {
    let stage = Stage::new();
    let id = stage.load("flickering", "export default { bad: () => { for (;;); }, fine: () => 1 };");
    for _ in 0..5 {
        for error in stage.errors_within("flickering/bad", 20) {
            assert_eq!(error.code(), Code::DeadlineExceeded);
        }
        assert_eq!(stage.json("flickering/fine", ""), json!(1));
    }
    block_on(stage.kernel.unload(&id)).unwrap();
}
