//! The conformance plugin as a service of its own, at an address in a file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use midplane_contract::PluginId;
use midplane_fetch::Client;
use midplane_kernel::{Builder, Kernel, Policy};
use midplane_runtime_grpc::GrpcRuntime;
use midplane_testkit::conformance::{Cell, PERMISSIONS, Site, Subject};
use midplane_testkit::{GrpcPython, PluginFolder, Service};
use serde_json::{Map, Value};

/// The remote cell.
pub(crate) struct Remote {
    python: GrpcPython,
    own: Mutex<BTreeMap<(String, u8), Service>>,
}

/// The Python that the services run on; fetched once.
pub(crate) fn python() -> GrpcPython {
    GrpcPython::prepare(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("grpc-python")).unwrap()
}

impl Remote {
    pub(crate) fn new() -> Self {
        Self { python: python(), own: Mutex::default() }
    }

    /// Services keep sessions apart, so that one serves all plugins but those that end it or count its connections.
    fn address(&self, id: &str, version: u8) -> String {
        static SHARED: [OnceLock<Service>; 2] = [OnceLock::new(), OnceLock::new()];
        let start = || Service::probe(&self.python, version).unwrap();
        if !["aborting", "unloaded", "cycled"].contains(&id) && !id.starts_with("bad-") {
            return SHARED[usize::from(version) - 1].get_or_init(start).address().to_owned();
        }
        let mut own = self.own.lock().unwrap();
        own.entry((id.to_owned(), version)).or_insert_with(start).address().to_owned()
    }
}

impl Subject for Remote {
    fn cell(&self) -> Cell {
        Cell::RemoteGrpc
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        PluginFolder::new(id, "remote", "endpoints", self.address(id, version))
            .with("permissions", PERMISSIONS.to_vec())
    }

    fn bare(&self, id: &str) -> PluginFolder {
        static BARE: OnceLock<Service> = OnceLock::new();
        let service = BARE.get_or_init(|| Service::bare(&self.python).unwrap());
        PluginFolder::new(id, "remote", "endpoints", service.address())
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn kernel(&self, cache: &Path) -> Builder {
        let web = Client::new(midplane_fetch::Settings::default());
        Kernel::builder().runtime(Arc::new(GrpcRuntime::default())).cache(cache).fetch(Arc::new(web))
    }

    /// Nobody starts it again.
    fn kill(&self, id: &PluginId, _: &Map<String, Value>) -> Result<(), String> {
        let own = self.own.lock().unwrap();
        own.get(&(id.to_string(), 1)).map(Service::end).ok_or_else(|| format!("{id} is served beside others"))
    }

    fn remains(&self, _: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let address = details["endpoints"][0]["address"].as_str().unwrap();
        let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
        let open = connections_to(port);
        (open > 0).then(|| format!("{open} connections to {address}"))
    }
}

/// Open connections of this machine to a port of its own.
pub(crate) fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let remote = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.get(2).is_some_and(|address| address.ends_with(&remote)) && columns.get(3) == Some(&"01")
    };
    table.lines().filter(is_open).count()
}
