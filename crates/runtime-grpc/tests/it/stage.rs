//! A kernel with a remote plugin.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use midplane_contract::{Error, PluginId, Result};
use midplane_kernel::{Kernel, block_on};
use midplane_runtime_grpc::{GrpcRuntime, Settings};
use midplane_testkit::{PluginFolder, Scratch};
use serde_json::{Value, json};

/// A kernel and a folder for its plugins.
pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    id: Mutex<PluginId>,
    scratch: Scratch,
}

impl Stage {
    pub(crate) fn new(settings: Settings) -> Self {
        let scratch = Scratch::new("grpc").unwrap();
        let runtime = Arc::new(GrpcRuntime::new(settings));
        let kernel = Kernel::builder().runtime(runtime).cache(scratch.path().join("cache")).build();
        Self { kernel, id: Mutex::new(PluginId::new("far").unwrap()), scratch }
    }

    /// A stage on which the plugin runs, called by up to 64 at once.
    pub(crate) fn of(endpoints: &[String], settings: Settings) -> Self {
        let stage = Self::new(settings);
        stage.load(&json!({ "endpoints": endpoints })).unwrap();
        stage
    }

    /// The plugin's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = self.scratch.path().join("far");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Registers and loads the plugin with this `entry`.
    pub(crate) fn load(&self, entry: &Value) -> Result<()> {
        self.load_with("far", entry, &json!({}))
    }

    /// The same under another id.
    pub(crate) fn load_as(&self, id: &str, entry: &Value) -> Result<()> {
        self.load_with(id, entry, &json!({}))
    }

    /// The same with a configuration.
    pub(crate) fn load_with(&self, id: &str, entry: &Value, config: &Value) -> Result<()> {
        let mut entry = entry.clone();
        entry["runtime"] = "remote".into();
        let instances = json!({ "mode": "pool", "min": 1, "max": 64 });
        let plugin = PluginFolder::new(id, "remote", "unused", "").with("entry", entry).with("instances", instances);
        let path = plugin.with("config", config.clone()).write(self.scratch.path()).unwrap();
        let id = block_on(self.kernel.register(path))?;
        *self.id.lock().unwrap() = id.clone();
        block_on(self.kernel.load(&id))
    }

    /// The plugin.
    pub(crate) fn id(&self) -> PluginId {
        self.id.lock().unwrap().clone()
    }

    /// Calls as a future.
    pub(crate) fn call(&self, action: &str, input: impl Into<Vec<u8>>) -> Result<Vec<u8>, Error> {
        block_on(self.kernel.call(&format!("{}/{action}", self.id()), input))
    }

    /// What the status shows of the endpoint of this number.
    pub(crate) fn endpoint(&self, number: usize) -> Value {
        let details = self.kernel.status(&self.id()).unwrap().generation.unwrap().details;
        details["endpoints"][number].clone()
    }
}
