//! What the tests act on: load requests without a kernel, a host that records, and ways to wait for conditions.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use midplane_contract::{
    Code as Fault, Error, HostFunction, Instances, Limits, Manifest, PluginId, Result, RuntimeKind, Trust,
};
use midplane_contract::{Placement, Version};
use midplane_kernel::{
    Call, Code, Host, HostRequest, Instance, InstanceContext, LoadRequest, Reply, Runtime, Scope, Within,
};
use midplane_runtime_wire::{Program, WireRuntime};

/// The worker of `tests/echo_worker.rs`.
pub(crate) fn worker_program() -> PathBuf {
    env!("CARGO_BIN_EXE_echo-worker").into()
}

pub(crate) fn runtime(kind: RuntimeKind) -> WireRuntime {
    WireRuntime::new(kind, Program::worker(worker_program()))
}

pub(crate) fn request(kind: RuntimeKind) -> LoadRequest {
    let json = serde_json::json!({
        "id": "echo", "name": "Echo", "version": Version::new(1, 0, 0),
        "entry": { "main": "main", "runtime": kind },
    });
    LoadRequest {
        manifest: Arc::new(serde_json::from_value::<Manifest>(json).unwrap()),
        folder: "/nowhere".into(),
        main: "/nowhere/main".into(),
        generation: 1,
        placement: Placement::Worker,
        trust: Trust::Normal,
        limits: Limits::default(),
        instances: Instances::default(),
        cache: "/nowhere/cache".into(),
    }
}

/// A kernel's side that keeps one value and remembers what it saw.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) value: Mutex<Vec<u8>>,
    pub(crate) seen: Mutex<Vec<String>>,
    pub(crate) lost: Mutex<Option<Error>>,
}

impl Host for Recorder {
    fn request(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        let caller = within.scope.caller.as_ref().map(|caller| caller.plugin.to_string());
        self.seen.lock().unwrap().push(format!("{} {:?} {caller:?}", request.function, within.action));
        match request.function {
            HostFunction::StateSet => {
                *self.value.lock().unwrap() = request.payload.to_vec();
                Ok(Vec::new())
            }
            HostFunction::StateGet => Ok(self.value.lock().unwrap().clone()),
            _ => Err(Error::new(Fault::PermissionDenied, "not here").remedy("ask for less")),
        }
    }

    fn lost(&self, cause: Error) {
        *self.lost.lock().unwrap() = Some(cause);
    }
}

pub(crate) fn context(number: u32, host: Arc<dyn Host>) -> InstanceContext {
    InstanceContext { plugin: PluginId::new("echo").unwrap(), version: "1.0.0".into(), generation: 1, number, host }
}

/// A loaded plugin with its instances.
pub(crate) struct Loaded {
    pub(crate) host: Arc<Recorder>,
    pub(crate) instances: Vec<Box<dyn Instance>>,
    pub(crate) code: Arc<dyn Code>,
}

pub(crate) fn load_with(runtime: &WireRuntime, request: &LoadRequest, count: u32) -> Result<Loaded> {
    let code = runtime.load(request)?;
    let host = Arc::new(Recorder::default());
    let instances = (0..count).map(|n| code.instantiate(context(n, host.clone()))).collect::<Result<_>>()?;
    Ok(Loaded { host, instances, code })
}

pub(crate) fn load(kind: RuntimeKind, count: u32) -> Loaded {
    load_with(&runtime(kind), &request(kind), count).unwrap()
}

impl Loaded {
    pub(crate) fn action(&self, name: &str) -> u32 {
        self.code.facts().actions.iter().position(|action| action.as_str() == name).unwrap() as u32
    }

    pub(crate) fn pid(&self) -> i32 {
        self.code.facts().details["pid"].as_i64().unwrap() as i32
    }

    pub(crate) fn call(&mut self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        self.call_within(name, input, Duration::from_secs(30))
    }

    pub(crate) fn call_within(&mut self, name: &str, input: &[u8], time: Duration) -> Result<Vec<u8>> {
        let action = self.action(name);
        call(&mut *self.instances[0], action, name, input, &Scope::within(time))
    }
}

pub(crate) fn call(
    instance: &mut dyn Instance,
    action: u32,
    name: &str,
    input: &[u8],
    scope: &Scope,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    instance.call_inline(&Call { action, name, input, scope }, &mut Reply::buffer(&mut out, 64 << 20))?;
    Ok(out)
}

/// Waits until something is so. The limit only keeps a broken test from running for ever.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < until, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process exists and is no zombie.
pub(crate) fn alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}
