//! What a call over a connection costs. Run by hand: `cargo test -p midplane-runtime-connect --release -- --ignored
//! --nocapture bench`.

use std::fs;
use std::time::Instant;

use midplane_contract::State;
use midplane_testkit::Scratch;
use serde_json::json;

use crate::node;
use crate::stage::Stage;

const CALLS: usize = 5_000;

fn measure(what: &str, stage: &Stage) {
    let action = stage.kernel.action("p/echo").unwrap();
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let mut reply = Vec::new();
        let began = Instant::now();
        action.call_inline(b"{\"n\":1}", &mut reply).unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("{what}: median {:?}, p99 {:?}", times[CALLS / 2], times[CALLS * 99 / 100]);
}

#[test]
#[ignore = "a measurement"]
fn bench_text() {
    let stage = Stage::new();
    stage.plain("p").serve(|request| Some(json!({ "result": request["params"]["input"] })));
    measure("text, a client in this process", &stage);
}

#[test]
#[ignore = "a measurement"]
fn bench_wire_to_a_worker_of_node() {
    let scratch = Scratch::new("bench").unwrap();
    let main = scratch.path().join("plugin.mjs");
    fs::write(&main, "export default { actions: { echo: { raw: true, run: (input) => input } } };").unwrap();
    let stage = Stage::new();
    let url = stage.listener.url();
    let _program = node::start("dial.js", &[&url, "p", main.to_str().unwrap()], &stage.token());
    stage.wait_for("p", State::Running);
    measure("wire, a worker of Node", &stage);
}
