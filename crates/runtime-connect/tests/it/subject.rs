//! The cell `websocket` of the list of behaviours: each load starts the conformance plugin in a program of its own, which
//! dials the host and is what was loaded.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use midplane_contract::{
    Code as Fault, Error, Health, Limit, Limits, Manifest, Placement, PluginId, Result, RuntimeKind, State, Trust,
};
use midplane_fetch::Client;
use midplane_kernel::{Builder, Code, CodeFacts, Instance, InstanceContext, Kernel, LoadRequest, Policy, Runtime};
use midplane_runtime_connect::{Host, Listener, Pass, Reception, Settings};
use midplane_testkit::conformance::{Cell, PERMISSIONS, Site, Subject, of_version};
use midplane_testkit::{PluginFolder, process};
use serde_json::{Map, Value};

use crate::node::{self, Program};

/// A host whose plugins go to whoever waits for them.
struct Lobby {
    host: Host,
    listener: Listener,
    expected: Arc<Expected>,
}

#[derive(Default)]
struct Expected(Mutex<HashMap<PluginId, Sender<Arc<dyn Runtime>>>>);

struct Desk(Arc<Expected>);

impl Reception for Desk {
    fn register(&self, manifest: Manifest, runtime: Arc<dyn Runtime>) -> Result<()> {
        let waiting = self.0.0.lock().unwrap().remove(&manifest.id);
        let nobody = || Error::new(Fault::PluginNotFound, "nobody waits for it");
        waiting.and_then(|waiting| waiting.send(runtime).ok()).ok_or_else(nobody)
    }

    fn load(&self, _: &PluginId, _: bool) -> Result<()> {
        Ok(())
    }

    fn state(&self, _: &PluginId) -> Option<State> {
        None
    }

    fn health(&self, _: &PluginId) -> Result<Health> {
        Err(Error::new(Fault::NotSupported, "the kernel under test asks"))
    }

    fn config(&self, _: &PluginId) -> Result<Value> {
        Err(Error::new(Fault::NotSupported, "the kernel under test asks"))
    }
}

fn lobby() -> &'static Lobby {
    static LOBBY: OnceLock<Lobby> = OnceLock::new();
    LOBBY.get_or_init(|| {
        let expected = Arc::new(Expected::default());
        let settings = Settings { port: 0, renewal: Duration::ZERO, ..Settings::default() };
        let host = Host::new(Desk(Arc::clone(&expected)), settings).unwrap();
        let listener = Listener::bind(&host).unwrap();
        Lobby { host, listener, expected }
    })
}

/// Starts the plugin, and loads what connects. Ids are those of the site, which other sites may have as well.
struct Dialled {
    site: usize,
}

impl Runtime for Dialled {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Remote, Placement::Remote)
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Memory])
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let Lobby { host, listener, expected } = lobby();
        let id = PluginId::new(format!("{}-{}", request.manifest.id, self.site)).unwrap();
        let token = host.issue(Pass::of(id.clone()).replacing())?;
        let (sender, arrived): (_, Receiver<Arc<dyn Runtime>>) = channel();
        expected.0.lock().unwrap().insert(id.clone(), sender);
        let main = request.main.to_str().unwrap();
        let mut program = node::start("dial.js", &[&listener.url(), id.as_str(), main], token.reveal());
        let visit = arrived.recv_timeout(Duration::from_secs(60)).map_err(|_| {
            let ended = program.0.try_wait();
            let said = format!("the plugin did not connect ({ended:?}), but printed: {}", program.output());
            Error::new(Fault::PeerGone, said).remedy("see what Node printed")
        })?;
        let code = visit.load(request)?;
        Ok(Arc::new(Started { code, _program: program }))
    }
}

struct Started {
    code: Arc<dyn Code>,
    _program: Program,
}

impl Code for Started {
    fn facts(&self) -> &CodeFacts {
        self.code.facts()
    }

    fn details(&self) -> Map<String, Value> {
        self.code.details()
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        self.code.instantiate(context)
    }
}

/// The cell.
pub(crate) struct WebSocket {
    code: Vec<u8>,
    bare: Vec<u8>,
}

pub(crate) fn websocket() -> WebSocket {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/guests");
    let read = |guest: &str| std::fs::read(guests.join(guest).join("plugin.js")).unwrap();
    WebSocket { code: read("probe-js"), bare: read("bare") }
}

impl Subject for WebSocket {
    fn cell(&self) -> Cell {
        Cell::WebSocket
    }

    fn plugin(&self, id: &str, version: u8) -> PluginFolder {
        PluginFolder::new(id, "remote", "plugin.mjs", of_version(&self.code, version).unwrap())
            .with("version", "0.1.0")
            .with("permissions", PERMISSIONS.to_vec())
    }

    fn bare(&self, id: &str) -> PluginFolder {
        PluginFolder::new(id, "remote", "plugin.mjs", self.bare.clone())
    }

    fn policy(&self) -> Policy {
        Policy { trust: Trust::Normal, ..Policy::default() }
    }

    fn kernel(&self, cache: &Path) -> Builder {
        static SITES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let site = SITES.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let web = Client::new(midplane_fetch::Settings::default());
        Kernel::builder().runtime(Arc::new(Dialled { site })).cache(cache).fetch(Arc::new(web))
    }

    fn kill(&self, _: &PluginId, details: &Map<String, Value>) -> Result<(), String> {
        process::kill(details["connection"]["process_id"].as_u64().unwrap())
    }

    fn remains(&self, _: &Site<'_>, details: &Map<String, Value>) -> Option<String> {
        let process = details["connection"]["process_id"].as_u64()?;
        process::exists(process).then(|| format!("the program {process}"))
    }
}
