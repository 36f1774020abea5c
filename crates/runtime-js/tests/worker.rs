//! The same list of behaviours in the cell js/worker: this executable is the host of the test and, started again by it,
//! the worker. A worker has to begin in `main`, which the usual harness keeps for itself; so this is a target of its own.

#![expect(clippy::expect_used, reason = "a test ends at the first thing that is not as it should be")]

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Placement, RuntimeKind};
use midplane_kernel::{Builder, Kernel, Policy, Runtime};
use midplane_runtime_js::{JsConfig, JsRuntime};
use midplane_runtime_wire::{Program, WireRuntime};
use midplane_testkit::PluginFolder;
use midplane_testkit::conformance::{Behaviour, Cell, Site, Subject, check};
use serde_json::{Map, Value};

const PROBE: &str = include_str!("../../testkit/guests/probe-js/plugin.js");

struct Worker;

impl Subject for Worker {
    fn cell(&self) -> Cell {
        Cell::JsWorker
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let code = PROBE.replace("probe-version-01", &format!("probe-version-0{version}"));
        PluginFolder::new(id, "js", "plugin.js", code).with("permissions", vec!["plugin.call", "state.read"])
    }

    fn policy(&self) -> Policy {
        Policy { placement: Some(Placement::Worker), ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        let program = Program::worker(std::env::current_exe().expect("this program has a path"));
        Kernel::builder().runtime(Arc::new(WireRuntime::new(RuntimeKind::Js, program))).cache(cache)
    }

    fn remains(&self, _: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let pid = details.get("pid")?;
        Path::new(&format!("/proc/{pid}")).exists().then(|| format!("the worker {pid}"))
    }
}

fn main() {
    midplane_runtime_wire::child::run_if_child(|| {
        vec![Arc::new(JsRuntime::new(JsConfig::default())) as Arc<dyn Runtime>]
    });
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut failed = 0;
    for behaviour in Behaviour::ALL {
        let name = format!("{behaviour:?}");
        if !name.to_lowercase().contains(&filter.to_lowercase()) {
            continue;
        }
        match behaviour.reasons()[8] {
            Some(reason) => println!("test {name} ... not applicable: {reason}"),
            None => match check(*behaviour, &Worker) {
                Ok(()) => println!("test {name} ... ok"),
                Err(why) => {
                    failed += 1;
                    println!("test {name} ... FAILED: {why}");
                }
            },
        }
    }
    if failed > 0 {
        std::process::exit(101);
    }
}
