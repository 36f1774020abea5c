//! Plugins whose instances run in workers of the program that connected.

use std::fs;
use std::time::Duration;

use midplane_contract::{Code, State};
use midplane_kernel::{CallOptions, block_on};
use midplane_testkit::Scratch;

use crate::node;
use crate::stage::Stage;

const HANGING: &str = "
    let calls = 0;
    export default {
      count: () => ++calls,
      hang() { for (;;); },
    };
";

#[test]
fn a_call_that_hangs_costs_its_worker_and_not_the_connection() {
    let scratch = Scratch::new("worker").unwrap();
    let main = scratch.path().join("plugin.mjs");
    fs::write(&main, HANGING).unwrap();
    let stage = Stage::new();
    let url = stage.listener.url();
    let mut program = node::start("dial.js", &[&url, "p", main.to_str().unwrap()], &stage.token());
    stage.wait_for("p", State::Running);
    for _ in 0..5 {
        assert_eq!(stage.call("p/count", "").unwrap(), "1");
        assert_eq!(stage.call("p/count", "").unwrap(), "2");
        let hang = stage.kernel.action("p/hang").unwrap();
        let late = block_on(hang.call_with("", CallOptions::within(Duration::from_millis(50))));
        assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
    }
    assert_eq!(stage.call("p/count", "").unwrap(), "1");
    assert_eq!(stage.record("p").connections, 1, "{}", program.output());
}
