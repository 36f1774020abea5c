//! Hosts with a plugin each, over one server.

use std::sync::Arc;
use std::time::Duration;

use midplane_contract::{PluginId, Result};
use midplane_kernel::config::ConfigStore;
use midplane_kernel::{Kernel, block_on};
use midplane_store_redis::{RedisStore, Settings};
use midplane_testkit::{Fake, PluginFolder, Redis, Scratch, eventually, probe};
use serde_json::{Map, Value, json};

pub(crate) fn settings(address: &str) -> Settings {
    Settings {
        address: address.parse().unwrap(),
        database: 0,
        user: None,
        password: None,
        prefix: "midplane".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

pub(crate) fn store(server: &Redis) -> RedisStore {
    RedisStore::new(settings(&server.address()))
}

pub(crate) fn id() -> PluginId {
    PluginId::new("p").unwrap()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn numbered(n: u64) -> Map<String, Value> {
    object(json!({ "n": n }))
}

/// A host with the plugin `p`.
pub(crate) struct Host {
    pub(crate) kernel: Kernel,
    scratch: Scratch,
}

impl Host {
    pub(crate) fn new(store: impl ConfigStore + 'static) -> Self {
        let scratch = Scratch::new("redis-host").unwrap();
        let fake = Fake::new().program("probe", probe());
        let builder = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache"));
        Self { kernel: builder.config_store(Arc::new(store)).build(), scratch }
    }

    /// With its plugin running.
    pub(crate) fn running(store: impl ConfigStore + 'static) -> Self {
        let host = Self::new(store);
        host.load().unwrap();
        host
    }

    pub(crate) fn load(&self) -> Result<()> {
        let folder = PluginFolder::fake("p", "probe\n1").write(self.scratch.path()).unwrap();
        block_on(self.kernel.register(folder))
            .or_else(|error| if error.code().as_str() == "already_registered" { Ok(id()) } else { Err(error) })?;
        block_on(self.kernel.load(&id()))
    }

    pub(crate) fn update(&self, config: Value) -> Result<()> {
        block_on(self.kernel.update_config(&id(), object(config)))
    }

    /// What the plugin itself says it has.
    pub(crate) fn config(&self) -> Value {
        serde_json::from_slice(&block_on(self.kernel.call("p/config", "")).unwrap()).unwrap()
    }

    pub(crate) fn comes_to_have(&self, config: &Value) {
        assert!(eventually(|| self.config() == *config), "{} instead of {config}", self.config());
    }
}
