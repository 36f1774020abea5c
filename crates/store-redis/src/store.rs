//! The hash of configurations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use midplane_contract::{PluginId, Result};
use midplane_kernel::config::{CONFIG_SIZE, Changed, ConfigStore, from_json, no_configuration, to_json};
use redis::{Cmd, Connection, RedisResult, cmd};
use serde_json::{Map, Value};

use crate::ear::Ear;
use crate::message;
use crate::server::{Server, Settings};

/// Configurations in a Redis server. See the crate's text.
pub struct RedisStore {
    shared: Arc<Shared>,
}

impl RedisStore {
    /// A store at a server, which need not be there yet: the first request connects.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let hash = format!("{}:configs", settings.prefix);
        let channel = format!("{}:config-changed", settings.prefix);
        let own = uuid::Uuid::now_v7().to_string();
        Self { shared: Arc::new(Shared { server: Server::new(settings), hash, channel, own, known: Mutex::default() }) }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisStore({})", self.shared.server.settings.address)
    }
}

pub(crate) struct Shared {
    pub(crate) server: Server,
    pub(crate) hash: String,
    pub(crate) channel: String,
    /// Which messages are this store's own.
    pub(crate) own: String,
    /// What the server held when it was last asked or told, as JSON.
    known: Mutex<BTreeMap<PluginId, Vec<u8>>>,
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, BTreeMap<PluginId, Vec<u8>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else has changed it: what is known here is old.
    pub(crate) fn forget(&self, plugin: &PluginId) {
        self.known().remove(plugin);
    }

    /// Gives back to a server what it has lost: one without a disk that was started anew, for example.
    ///
    /// # Errors
    /// `storage`.
    pub(crate) fn put_back(&self) -> Result<()> {
        let known = self.known().clone();
        for (plugin, json) in &known {
            let put = |connection: &mut Connection| {
                cmd("HSETNX").arg(&self.hash).arg(plugin.as_str()).arg(json).query::<bool>(connection)
            };
            if self.server.ask(put)? {
                tracing::warn!(%plugin, "the Redis server had lost this configuration; it is put back");
                let told = message::write(plugin, &self.own);
                self.server.ask(|c| cmd("PUBLISH").arg(&self.channel).arg(&told).query::<()>(c))?;
            }
        }
        Ok(())
    }

    fn place(&self, plugin: &PluginId) -> String {
        format!("the field `{plugin}` of `{}` in the Redis server {}", self.hash, self.server.settings.address)
    }

    fn read(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>> {
        // Asked first: what somebody else has put there may be of any size.
        let size: usize = self.server.ask(|c| cmd("HSTRLEN").arg(&self.hash).arg(plugin.as_str()).query(c))?;
        if size > CONFIG_SIZE {
            return Err(no_configuration(&self.place(plugin), &format!("it has more than {CONFIG_SIZE} bytes")));
        }
        let json: Option<Vec<u8>> = self.server.ask(|c| cmd("HGET").arg(&self.hash).arg(plugin.as_str()).query(c))?;
        let Some(json) = json else { return Ok(None) };
        let config = from_json(&json, &self.place(plugin))?;
        self.known().insert(plugin.clone(), json);
        Ok(Some(config))
    }

    fn write(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()> {
        let json = to_json(config)?;
        let change = [
            cmd("MULTI"),
            cmd("HSET").arg(&self.hash).arg(plugin.as_str()).arg(&json).to_owned(),
            cmd("PUBLISH").arg(&self.channel).arg(message::write(plugin, &self.own)).to_owned(),
            cmd("EXEC"),
        ];
        self.server.ask(|connection| transact(connection, &change))?;
        self.known().insert(plugin.clone(), json);
        Ok(())
    }
}

/// Sends the commands of a transaction together, and reads every answer, so that none is taken for that of a later
/// request. The first refusal counts: those behind it are its consequences.
fn transact(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<()> {
    let bytes: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    connection.send_packed_command(&bytes)?;
    let mut refused = Ok(());
    for _ in commands {
        let answer = connection.recv_response()?.extract_error().map(drop);
        refused = refused.and(answer);
    }
    refused
}

impl ConfigStore for RedisStore {
    fn load(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>> {
        self.shared.read(plugin).map_err(|error| error.plugin(plugin))
    }

    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()> {
        self.shared.write(plugin, config).map_err(|error| error.plugin(plugin))
    }

    fn watch(&self, changed: Changed) -> Result<()> {
        Ear::open(&self.shared, changed)
    }
}
