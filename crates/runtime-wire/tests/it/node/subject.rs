//! The conformance plugin on Node, for the list of behaviours.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Placement, RuntimeKind};
use midplane_kernel::{Builder, Kernel, Policy};
use midplane_runtime_wire::WireRuntime;
use midplane_runtime_wire::engine::node::JavaScript;
use midplane_testkit::PluginFolder;
use midplane_testkit::conformance::{Cell, Site, Subject};
use serde_json::{Map, Value, json};

const PLUGIN: &str = include_str!("../../../../testkit/guests/probe-js/plugin.js");

pub(super) struct Node;

pub(super) fn node() -> Node {
    Node
}

impl Subject for Node {
    fn cell(&self) -> Cell {
        Cell::Node
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        let code = PLUGIN.replace("probe-version-01", &format!("probe-version-0{version}"));
        PluginFolder::new(id, "js", "plugin.js", code)
            .with("entry", json!({ "runtime": "js", "engine": "node", "main": "plugin.js" }))
            .with("version", "0.1.0")
            .with("permissions", vec!["plugin.call", "state.read"])
    }

    fn policy(&self) -> Policy {
        Policy { placement: Some(Placement::Worker), ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        Kernel::builder().runtime(Arc::new(WireRuntime::new(RuntimeKind::Js, JavaScript::engines()))).cache(cache)
    }

    fn remains(&self, _: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let process = details.get("pid").filter(|pid| Path::new(&format!("/proc/{pid}")).exists());
        process.map(|pid| format!("the process {pid}"))
    }
}
