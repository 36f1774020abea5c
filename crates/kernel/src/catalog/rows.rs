//! Records as JSON in tables that cannot be had again.

use midplane_contract::{Code, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::Change;

/// A record. One that cannot be read is an error: nothing here may be overwritten by mistake.
pub(super) fn parse<T: DeserializeOwned>(table: &str, key: &str, row: &[u8]) -> Result<T> {
    serde_json::from_slice(row).map_err(|error| {
        Error::new(Code::Storage, format!("the record of `{key}` in `{table}` is damaged"))
            .remedy("put back a copy of state.db, or remove that record; nothing was changed")
            .caused_by(&error)
    })
}

pub(super) fn bytes(record: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Changes a record, or makes it; `None` removes it.
pub(super) fn revise<T: Serialize + DeserializeOwned>(
    change: &mut dyn Change,
    (table, key): (&str, &str),
    revise: impl FnOnce(Option<T>) -> Result<Option<T>>,
) -> Result<()> {
    let is = change.get(table, key)?.map(|row| parse(table, key, &row)).transpose()?;
    match revise(is)? {
        Some(record) => change.put(table, key, &bytes(&record)?),
        None => change.remove(table, key),
    }
}
