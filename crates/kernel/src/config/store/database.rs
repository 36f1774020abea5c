//! The embedded database as a place for configurations: a table of the store that also holds grants and state.

use std::fmt;
use std::sync::Arc;

use midplane_contract::{Code, Error, PluginId, Result};
use serde_json::{Map, Value};

use super::{Changed, ConfigStore, from_json, to_json};
use crate::store::Store;

const TABLE: &str = "config";

/// A table of a [`Store`], a row for each plugin.
pub struct DatabaseStore {
    store: Arc<dyn Store>,
}

impl DatabaseStore {
    /// Over the store of what lasts: [`Stores::state`](crate::store::Stores::state).
    #[must_use]
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

impl fmt::Debug for DatabaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseStore")
    }
}

impl ConfigStore for DatabaseStore {
    fn load(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>> {
        let kept = self.store.get(TABLE, plugin.as_str()).map_err(|error| error.plugin(plugin))?;
        let place = format!("what the database holds as configuration of `{plugin}`");
        kept.map(|json| from_json(&json, &place)).transpose().map_err(|error| error.plugin(plugin))
    }

    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()> {
        let json = to_json(config)?;
        let put = self.store.change(&mut |change| change.put(TABLE, plugin.as_str(), &json));
        put.map_err(|error| error.plugin(plugin))
    }

    fn watch(&self, _: Changed) -> Result<()> {
        Err(Error::new(Code::NotSupported, "a database of configurations does not tell of changes")
            .remedy("change configurations through the host, or share them in Redis"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Memory;

    #[test]
    fn what_is_saved_is_loaded_and_what_is_no_configuration_is_refused_by_name() {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let (configs, id) = (DatabaseStore::over(Arc::clone(&store)), PluginId::new("p").unwrap());
        assert_eq!(configs.load(&id).unwrap(), None);
        let config = json!({"n": 1}).as_object().unwrap().clone();
        configs.save(&id, &config).unwrap();
        assert_eq!(configs.load(&id).unwrap(), Some(config));
        for garbage in [&b"[1]"[..], b"", b"{\"a\": ", &vec![b' '; super::super::CONFIG_SIZE + 1]] {
            store.change(&mut |change| change.put(TABLE, "p", garbage)).unwrap();
            let error = configs.load(&id).unwrap_err();
            assert_eq!(error.code(), Code::Storage);
            assert!(error.record().message.contains("`p`") && error.record().remedy.is_some(), "{error}");
        }
    }
}
