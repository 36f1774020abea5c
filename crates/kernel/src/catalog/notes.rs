//! Notes on plugins: free values that an operator or an application keeps with an id. They outlive the host.

use midplane_contract::{Code, Error, PluginId, Result};
use serde_json::{Map, Value};

use super::Catalog;
use super::rows::{bytes, parse, revise};

const NOTES: &str = "notes";
/// Bytes of one plugin's notes, as JSON.
const MOST: usize = 64 * 1024;

impl Catalog {
    /// The notes on a plugin, registered or not; the `metadata` of its manifest is another thing.
    ///
    /// # Errors
    /// `storage`.
    pub fn metadata(&self, id: &PluginId) -> Result<Map<String, Value>> {
        let row = self.stores.state.get(NOTES, id.as_str())?;
        row.map_or_else(|| Ok(Map::new()), |row| parse(NOTES, id.as_str(), &row))
    }

    /// Lays values over the notes on a plugin, all at once; `null` takes one away.
    ///
    /// # Errors
    /// `limit_exceeded` beyond 64 KiB; `storage`.
    pub fn set_metadata(&self, id: &PluginId, values: &Map<String, Value>) -> Result<()> {
        self.stores.state.change(&mut |change| {
            revise(change, (NOTES, id.as_str()), |is: Option<Map<String, Value>>| {
                let mut notes = is.unwrap_or_default();
                for (name, value) in values {
                    match value {
                        Value::Null => drop(notes.shift_remove(name)),
                        value => drop(notes.insert(name.clone(), value.clone())),
                    }
                }
                if bytes(&notes)?.len() > MOST {
                    return Err(Error::new(Code::LimitExceeded, format!("more than {MOST} bytes of notes on `{id}`"))
                        .remedy("take some away, with null")
                        .plugin(id)
                        .with("which", "metadata")
                        .with("limit", MOST));
                }
                Ok((!notes.is_empty()).then_some(notes))
            })
        })
    }
}
