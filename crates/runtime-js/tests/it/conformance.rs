//! The one list of behaviours, in the cell js/in-process.

use std::path::Path;
use std::sync::Arc;

use midplane_kernel::{Builder, Kernel, Policy};
use midplane_runtime_js::{JsConfig, JsRuntime};
use midplane_testkit::PluginFolder;
use midplane_testkit::conformance::{Behaviour, Cell, Site, Subject, check};
use serde_json::{Map, Value};

const PROBE: &str = include_str!("../../../testkit/guests/probe-js/plugin.js");

struct InProcess;

impl Subject for InProcess {
    fn cell(&self) -> Cell {
        Cell::JsInProcess
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let code = PROBE.replace("probe-version-01", &format!("probe-version-0{version}"));
        PluginFolder::new(id, "js", "plugin.js", code).with("permissions", vec!["plugin.call", "state.read"])
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn kernel(&self, cache: &Path) -> Builder {
        Kernel::builder().runtime(Arc::new(JsRuntime::new(JsConfig::default()))).cache(cache)
    }

    /// The environment is memory; that it is gone is what the many cycles weigh.
    fn remains(&self, _: &Site<'_>, _: &Map<String, Value>) -> Option<String> {
        None
    }
}

macro_rules! tests {
    ($(($test:ident, $behaviour:ident, [$($cells:tt)+]);)+) => {
        $(
            #[test]
            fn $test() {
                if let Some(reason) = Behaviour::$behaviour.reasons()[7] {
                    println!("not applicable: {reason}");
                    return;
                }
                check(Behaviour::$behaviour, &InProcess).unwrap_or_else(|why| panic!("{why}"));
            }
        )+
    };
}
midplane_testkit::behaviours!(tests);
