//! What a plugin keeps for itself: keys and bytes, with a time to live and a quota. Pure over a [`Store`]; the time is
//! given.
//!
//! Three tables: values and facts by `PLUGIN/KEY` (an id holds no `/`), and what each plugin uses in all. Facts stand
//! apart so that listing reads no values.

mod facts;

use midplane_contract::{Code, Error, PluginId, Result, defaults};

use crate::store::{Change, Store};
use facts::{Facts, Used};

const VALUES: &str = "state";
const FACTS: &str = "state.facts";
const USED: &str = "state.used";

/// The state of one plugin at one moment.
pub(crate) struct OwnState<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) plugin: &'a PluginId,
    pub(crate) quota: Quota,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// What a plugin may keep at most. Keys count with their bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) keys: u64,
    pub(crate) bytes: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self { keys: defaults::STATE_KEYS, bytes: defaults::STATE_BYTES }
    }
}

impl OwnState<'_> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let row = self.row(key);
        let facts = self.store.get(FACTS, &row)?;
        if facts.is_none_or(|facts| Facts::read(&facts).is_over(self.now)) {
            return Ok(None);
        }
        self.store.get(VALUES, &row)
    }

    /// Writes a key. Without a time to live it stays for good, also where it had one before.
    pub(crate) fn set(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<()> {
        self.check_key(key)?;
        self.store.change(&mut |change| self.write(change, key, value, ttl))
    }

    /// Writes a key if its value is what is expected, or there is none where none is; says whether it did.
    pub(crate) fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl: Option<u64>,
    ) -> Result<bool> {
        self.check_key(key)?;
        let mut written = false;
        self.store.change(&mut |change| {
            let row = self.row(key);
            let facts = change.get(FACTS, &row)?.map(|facts| Facts::read(&facts));
            let is = match facts.filter(|facts| !facts.is_over(self.now)) {
                Some(_) => change.get(VALUES, &row)?,
                None => None,
            };
            written = is.as_deref() == expected;
            if written { self.write(change, key, value, ttl) } else { Ok(()) }
        })?;
        Ok(written)
    }

    /// Removes a key; one that is not there is no error.
    pub(crate) fn delete(&self, key: &str) -> Result<()> {
        self.store.change(&mut |change| {
            let mut used = self.used(change)?;
            self.drop_row(change, &self.row(key), &mut used)?;
            change.put(USED, self.plugin.as_str(), &used.written())
        })
    }

    /// The keys that begin with a prefix, in the order of their bytes.
    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let rows = self.store.scan(FACTS, &self.row(prefix))?;
        let live = rows.into_iter().filter(|(_, facts)| !Facts::read(facts).is_over(self.now));
        Ok(live.filter_map(|(row, _)| row.split_once('/').map(|(_, key)| key.to_owned())).collect())
    }

    fn row(&self, key: &str) -> String {
        format!("{}/{key}", self.plugin)
    }

    fn write(&self, change: &mut dyn Change, key: &str, value: &[u8], ttl: Option<u64>) -> Result<()> {
        let row = self.row(key);
        let facts = Facts::new(key.len() + value.len(), ttl, self.now);
        let mut used = self.used(change)?;
        self.drop_row(change, &row, &mut used)?;
        if used.beyond(&facts, self.quota).is_some() {
            self.sweep(change, &mut used)?;
        }
        if let Some(which) = used.beyond(&facts, self.quota) {
            return Err(self.over(which));
        }
        change.put(VALUES, &row, value)?;
        change.put(FACTS, &row, &facts.written())?;
        used.add(&facts);
        change.put(USED, self.plugin.as_str(), &used.written())
    }

    fn used(&self, change: &dyn Change) -> Result<Used> {
        Ok(change.get(USED, self.plugin.as_str())?.map(|used| Used::read(&used)).unwrap_or_default())
    }

    fn drop_row(&self, change: &mut dyn Change, row: &str, used: &mut Used) -> Result<()> {
        let Some(facts) = change.get(FACTS, row)? else { return Ok(()) };
        used.take(&Facts::read(&facts));
        change.remove(VALUES, row)?;
        change.remove(FACTS, row)
    }

    /// Removes what is over. Only when room is needed: until then it is passed over.
    fn sweep(&self, change: &mut dyn Change, used: &mut Used) -> Result<()> {
        let rows = change.scan(FACTS, &self.row(""))?;
        let over = rows.into_iter().filter(|(_, facts)| Facts::read(facts).is_over(self.now));
        over.map(|(row, _)| row).try_for_each(|row| self.drop_row(change, &row, used))
    }

    fn check_key(&self, key: &str) -> Result<()> {
        let why = match key.len() {
            0 => "is empty",
            length if length > defaults::STATE_KEY => "is too long",
            _ => return Ok(()),
        };
        Err(Error::new(Code::InvalidInput, format!("the key {why}"))
            .remedy(format!("use 1 to {} bytes", defaults::STATE_KEY))
            .plugin(self.plugin))
    }

    fn over(&self, which: &'static str) -> Error {
        let (limit, what) = match which {
            "state_keys" => (self.quota.keys, "keys"),
            _ => (self.quota.bytes, "bytes"),
        };
        Error::new(Code::LimitExceeded, format!("the plugin's state would have more than {limit} {what}"))
            .remedy("delete keys that are no longer needed, or give them a time to live")
            .plugin(self.plugin)
            .with("which", which)
            .with("limit", limit)
    }
}

#[cfg(test)]
mod tests;
