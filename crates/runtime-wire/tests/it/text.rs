//! Scripts: every behaviour of the list, and what the text protocol's own is.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Placement, RuntimeKind, Trust};
use midplane_kernel::{Builder, Kernel, Policy};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::script::Script;
use midplane_testkit::PluginFolder;
use midplane_testkit::conformance::{Behaviour, Cell, Site, Subject, check};
use serde_json::{Map, Value};

mod bench;
pub(crate) mod faults;

/// The probe in Bash.
struct Probe;

impl Subject for Probe {
    fn cell(&self) -> Cell {
        Cell::Text
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/guests/probe-text/plugin.sh");
        let code = fs::read_to_string(source).unwrap();
        let code = code.replace("probe-version-01", &format!("probe-version-0{version}"));
        PluginFolder::new(id, "script", "plugin.sh", code)
            .with("version", "0.1.0")
            .with("permissions", vec!["plugin.call", "state.read"])
    }

    fn policy(&self) -> Policy {
        Policy { trust: Trust::Trusted, placement: Some(Placement::Worker), ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        Kernel::builder().runtime(Arc::new(WireRuntime::new(RuntimeKind::Script, Script))).cache(cache)
    }

    fn remains(&self, _: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let process = details.get("pid").filter(|pid| Path::new(&format!("/proc/{pid}")).exists());
        process.map(|pid| format!("the process {pid}"))
    }
}

macro_rules! behaviours {
    ($(($test:ident, $behaviour:ident, [$a:tt $b:tt $c:tt $d:tt $e:tt $f:tt $g:tt $h:tt $i:tt $j:tt $k:tt $l:tt $m:tt $n:tt yes $($rest:tt)+]);)+) => {
        $(
            #[test]
            fn $test() {
                if let Err(why) = check(Behaviour::$behaviour, &Probe) {
                    panic!("{why}");
                }
            }
        )+
    };
}

midplane_testkit::behaviours!(behaviours);
