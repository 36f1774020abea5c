//! A kernel with the runtime, and plugins written into a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{Error, Limits, PluginId, Result};
use midplane_kernel::{CallOptions, Kernel, Policy, block_on};
use midplane_runtime_js::{JsConfig, JsRuntime};
use midplane_testkit::{Scratch, log};
use serde_json::{Value, json};

pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    scratch: Scratch,
}

impl Stage {
    pub(crate) fn new() -> Self {
        assert!(log::listen());
        let scratch = Scratch::new("js").unwrap();
        let runtime = Arc::new(JsRuntime::new(JsConfig::default()));
        let kernel = Kernel::builder().runtime(runtime).cache(scratch.path().join("cache")).build();
        Self { kernel, scratch }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a plugin's folder: files by name and text; the first one is its main.
    pub(crate) fn write(&self, id: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.folder().join(id);
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let manifest = json!({
            "id": id, "name": id, "version": "1.0.0",
            "entry": { "runtime": "js", "main": files[0].0 }, "permissions": ["net.http"],
        });
        std::fs::write(folder.join("plugin.json"), manifest.to_string()).unwrap();
        folder
    }

    pub(crate) fn try_load_with(&self, id: &str, files: &[(&str, &str)], limits: Limits) -> Result<PluginId> {
        let folder = self.write(id, files);
        let plugin = PluginId::new(id).unwrap();
        self.kernel.set_policy(&plugin, Policy { limits, ..Policy::default() });
        block_on(async {
            let id = self.kernel.register(folder).await?;
            self.kernel.load(&id).await?;
            Ok(id)
        })
    }

    pub(crate) fn load_with(&self, id: &str, files: &[(&str, &str)], limits: Limits) -> PluginId {
        self.try_load_with(id, files, limits).unwrap_or_else(|error| panic!("{error}: {:?}", error.record()))
    }

    pub(crate) fn load(&self, id: &str, source: &str) -> PluginId {
        self.load_with(id, &[("plugin.js", source)], Limits::default())
    }

    pub(crate) fn fails_to_load(&self, id: &str, files: &[(&str, &str)]) -> Error {
        self.try_load_with(id, files, Limits::default()).unwrap_err()
    }

    pub(crate) fn call(&self, address: &str, input: &str) -> Result<String> {
        block_on(self.kernel.call(address, input)).map(|reply| String::from_utf8(reply).unwrap())
    }

    pub(crate) fn json(&self, address: &str, input: &str) -> Value {
        let reply = self.call(address, input).unwrap_or_else(|error| panic!("{error}: {:?}", error.record()));
        serde_json::from_str(&reply).unwrap_or_else(|error| panic!("{error}: {reply}"))
    }

    /// The error of a call with so many milliseconds, through a future and on this thread.
    pub(crate) fn errors_within(&self, address: &str, milliseconds: u64) -> [Error; 2] {
        let options = CallOptions::within(std::time::Duration::from_millis(milliseconds));
        let action = self.kernel.action(address).unwrap();
        let future = block_on(action.call_with("", options.clone())).unwrap_err();
        let inline = action.call_inline_with(b"", &mut Vec::new(), options).unwrap_err();
        [future, inline]
    }
}
