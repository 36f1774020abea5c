//! Timers within calls, and work between calls.

use std::time::Duration;

use midplane_contract::State;
use midplane_kernel::block_on;
use midplane_testkit::{eventually, log};
use serde_json::json;

use crate::stage::Stage;

#[test]
fn timers_run_while_a_call_waits() {
    let stage = Stage::new();
    stage.load(
        "sleeper",
        "const sleep = (ms, v) => new Promise((done) => setTimeout(done, ms, v));
         export default {
           async order() { const seen = [];
             await Promise.all([sleep(20, 'b').then((v) => seen.push(v)), sleep(1, 'a').then((v) => seen.push(v))]);
             return seen; },
           async cleared() { let hit = 0; clearTimeout(setTimeout(() => hit++, 1)); await sleep(10); return hit; },
           async repeated() { let n = 0; await new Promise((done) => { const i = setInterval(() => { if (++n === 3) { clearInterval(i); done(); } }, 1); }); await sleep(5); return n; },
         };",
    );
    assert_eq!(stage.json("sleeper/order", ""), json!(["a", "b"]));
    assert_eq!(stage.json("sleeper/cleared", ""), json!(0));
    assert_eq!(stage.json("sleeper/repeated", ""), json!(3));
}

#[test]
fn what_on_start_began_goes_on_until_on_stop() {
    let stage = Stage::new();
    let id = stage.load(
        "clockwork",
        "let n = 0;
         export default { onStart() { setInterval(() => { n++; }, 1); }, count: () => n };",
    );
    let count = || stage.json("clockwork/count", "").as_u64().unwrap();
    assert!(eventually(|| count() > 3));
    block_on(stage.kernel.stop(&id)).unwrap();
    block_on(stage.kernel.start(&id)).unwrap();
    // One interval again, not two: what was begun before has ended.
    assert!(eventually(|| count() > 6));
}

#[test]
fn nothing_goes_on_after_a_stop() {
    let stage = Stage::new();
    let id = stage.load(
        "stopping",
        "let stopped = false;
         export default { onStart() { setInterval(() => console.log(stopped ? 'too late' : 'at work'), 1); }, onStop() { stopped = true; } };",
    );
    assert!(eventually(|| log::heard("stopping", "at work")));
    block_on(stage.kernel.stop(&id)).unwrap();
    assert!(!log::heard("stopping", "too late"));
    block_on(stage.kernel.unload(&id)).unwrap();
    assert!(!log::heard("stopping", "too late"));
}

#[test]
fn calls_and_work_between_them_take_turns() {
    let stage = Stage::new();
    stage.load(
        "busy-bee",
        "let inside = 0, most = 0, n = 0;
         const enter = () => { most = Math.max(most, ++inside); for (let i = 0; i < 20000; i++); inside--; n++; };
         export default { onStart() { setInterval(enter, 1); }, work: enter, seen: () => [most, n] };",
    );
    for _ in 0..50 {
        stage.call("busy-bee/work", "").unwrap();
    }
    assert_eq!(stage.json("busy-bee/seen", "")[0], json!(1));
}

#[test]
fn a_timer_that_fails_is_logged_and_ends_nothing() {
    let stage = Stage::new();
    stage.load(
        "stumbling",
        "let n = 0;
         export default { onStart() {
           setInterval(() => { n++; throw new TypeError('stumbled'); }, 1);
           setTimeout(() => Promise.reject(new Error('nobody cares')), 1);
         }, count: () => n };",
    );
    assert!(eventually(|| stage.json("stumbling/count", "").as_u64().unwrap() > 2));
    assert!(eventually(|| log::heard_part("stumbling", "stumbled") && log::heard_part("stumbling", "nobody cares")));
}

#[test]
fn work_between_calls_that_does_not_end_fails_the_plugin_and_no_other() {
    let stage = Stage::new();
    stage.load("calm", "export default { fine: () => 1 };");
    let id = stage.load("wild", "export default { onStart() { setTimeout(() => { for (;;); }, 1); }, fine: () => 1 };");
    let action = stage.kernel.action("wild/fine").unwrap();
    // Calls wait for their turn, and have their own deadlines meanwhile.
    let options = midplane_kernel::CallOptions::within(Duration::from_millis(50));
    assert!(eventually(|| block_on(action.call_with("", options.clone())).is_err()));
    assert_eq!(stage.json("calm/fine", ""), json!(1));
    block_on(stage.kernel.unload(&id)).unwrap();
    assert_eq!(stage.kernel.status(&id).unwrap().state, State::Registered);
    assert_eq!(stage.json("calm/fine", ""), json!(1));
}
