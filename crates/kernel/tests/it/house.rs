//! A kernel with a fake runtime and a folder for its plugins.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{Error, InstanceMode, Instances, Limits, Permission, PluginId, State};
use midplane_kernel::{Action, Builder, CallOptions, Kernel, Policy, block_on};
use midplane_testkit::{Fake, Gate, PATIENCE, PluginFolder, Program, Scratch, eventually, probe};
use serde_json::Value;

/// A kernel, its runtime and its folder.
pub(crate) struct House {
    pub(crate) kernel: Kernel,
    pub(crate) fake: Fake,
    scratch: Scratch,
}

impl House {
    /// With the probe as its only program.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With the probe and other programs.
    pub(crate) fn with(programs: &[(&str, Program)]) -> Self {
        let probes = Fake::new().program("probe", probe()).program("polled", probe().with_futures());
        let fake = programs.iter().fold(probes, |fake, (name, program)| fake.program(name, program.clone()));
        Self::over(fake, |builder| builder)
    }

    pub(crate) fn over(fake: Fake, build: impl FnOnce(Builder) -> Builder) -> Self {
        let scratch = Scratch::new("kernel").unwrap();
        let builder = Kernel::builder().runtime(Arc::new(fake.clone())).cache(scratch.path().join("cache"));
        Self { kernel: build(builder).build(), fake, scratch }
    }

    pub(crate) fn write(&self, folder: &PluginFolder) -> PathBuf {
        folder.write(self.scratch.path()).unwrap()
    }

    /// Registers a plugin.
    pub(crate) fn register(&self, folder: &PluginFolder) -> PluginId {
        block_on(self.kernel.register(self.write(folder))).unwrap()
    }

    /// Registers, loads and starts a plugin.
    pub(crate) fn load(&self, folder: &PluginFolder) -> PluginId {
        let id = self.register(folder);
        block_on(self.kernel.load(&id)).unwrap();
        id
    }

    /// A running probe.
    pub(crate) fn probe(&self, id: &str) -> PluginId {
        self.load(&PluginFolder::fake(id, "probe\n1"))
    }

    pub(crate) fn state(&self, id: &PluginId) -> State {
        self.kernel.status(id).unwrap().state
    }

    pub(crate) fn wait_for(&self, id: &PluginId, state: State) {
        assert!(eventually(|| self.state(id) == state), "{id} is {}, not {state}", self.state(id));
    }

    pub(crate) fn action(&self, address: &str) -> Action {
        self.kernel.action(address).unwrap()
    }

    /// Calls as a future, and gives text.
    pub(crate) fn call(&self, address: &str, input: &str) -> Result<String, Error> {
        text(block_on(self.kernel.call(address, input)))
    }

    /// Calls on this thread, and gives text.
    pub(crate) fn call_inline(&self, address: &str, input: &str) -> Result<String, Error> {
        let mut reply = Vec::new();
        let done = self.action(address).call_inline(input.as_bytes(), &mut reply);
        text(done.map(|()| reply))
    }

    pub(crate) fn grant(&self, id: &PluginId, permission: &str) {
        let grants = vec![Permission::parse(permission).unwrap()];
        self.kernel.set_policy(id, Policy { grants, ..Policy::default() });
    }

    pub(crate) fn limit(&self, id: &str, limits: Limits) {
        self.kernel.set_policy(&name(id), Policy { limits, ..Policy::default() });
    }

    /// Waits until so many calls wait for a plugin.
    pub(crate) fn wait_for_queue(&self, id: &PluginId, length: usize) {
        let waiting = || self.kernel.status(id).unwrap().waiting;
        assert!(eventually(|| waiting() == length), "{} wait, not {length}", waiting());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.fake.release();
    }
}

fn text(reply: Result<Vec<u8>, Error>) -> Result<String, Error> {
    reply.map(|bytes| String::from_utf8(bytes).unwrap())
}

pub(crate) fn name(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}

/// A time that passes soon, for deadlines that are meant to pass.
pub(crate) fn soon() -> CallOptions {
    CallOptions::within(Duration::from_millis(30))
}

/// A time that no test takes.
pub(crate) fn late() -> CallOptions {
    CallOptions::within(PATIENCE)
}

/// Opens its gate when it goes, so that whoever works until then ends with a test that fails as well.
pub(crate) struct Until<'a>(pub(crate) &'a Gate);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A manifest's pool of so many instances.
pub(crate) fn pool(min: u32, max: u32) -> Value {
    serde_json::to_value(Instances { mode: InstanceMode::Pool, min, max }).unwrap()
}

/// A program whose `wait` waits at the gate and whose `echo` answers.
pub(crate) fn gated(gate: &Gate) -> Program {
    let gate = gate.clone();
    Program::echoing().waiting("wait", move |desk, input, reply| {
        desk.wait_at(&gate)?;
        reply.write(input)
    })
}
