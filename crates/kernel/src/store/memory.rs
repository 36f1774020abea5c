//! A store that is gone with the process: for hosts without a data folder, and for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use midplane_contract::Result;

use super::{Change, Store, Work};

type Tables = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Memory {
    tables: Mutex<Tables>,
}

impl Memory {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(get(&self.tables(), table, key))
    }

    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        Ok(scan(&self.tables(), table, prefix))
    }

    fn change(&self, work: &mut Work<'_>) -> Result<()> {
        let mut tables = self.tables();
        let mut change = Undoable { tables: &mut tables, before: Vec::new() };
        work(&mut change).inspect_err(|_| change.undo())
    }
}

fn get(tables: &Tables, table: &str, key: &str) -> Option<Vec<u8>> {
    tables.get(table)?.get(key).cloned()
}

fn scan(tables: &Tables, table: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let from = tables.get(table).into_iter().flat_map(|rows| rows.range(prefix.to_owned()..));
    let within = from.take_while(|(key, _)| key.starts_with(prefix));
    within.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A change that remembers what was there before it.
struct Undoable<'a> {
    tables: &'a mut Tables,
    before: Vec<(String, String, Option<Vec<u8>>)>,
}

impl Undoable<'_> {
    fn write(&mut self, table: &str, key: &str, value: Option<Vec<u8>>) {
        let rows = self.tables.entry(table.to_owned()).or_default();
        let before = match value {
            Some(value) => rows.insert(key.to_owned(), value),
            None => rows.remove(key),
        };
        self.before.push((table.to_owned(), key.to_owned(), before));
    }

    fn undo(&mut self) {
        while let Some((table, key, before)) = self.before.pop() {
            let rows = self.tables.entry(table).or_default();
            match before {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
    }
}

impl Change for Undoable<'_> {
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(get(self.tables, table, key))
    }

    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        Ok(scan(self.tables, table, prefix))
    }

    fn put(&mut self, table: &str, key: &str, value: &[u8]) -> Result<()> {
        self.write(table, key, Some(value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, table: &str, key: &str) -> Result<()> {
        self.write(table, key, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use midplane_contract::{Code, Error};

    use super::*;

    #[test]
    fn a_change_that_fails_leaves_everything_as_it_was() {
        let store = Memory::default();
        store.change(&mut |change| change.put("t", "a", b"1")).unwrap();
        let failed = store.change(&mut |change| {
            change.put("t", "a", b"2")?;
            change.put("t", "a", b"3")?;
            change.put("t", "b", b"4")?;
            change.remove("t", "a")?;
            assert_eq!(change.scan("t", "")?, [("b".to_owned(), b"4".to_vec())]);
            Err(Error::new(Code::Cancelled, "no"))
        });
        assert_eq!(failed.unwrap_err().code(), Code::Cancelled);
        assert_eq!(store.scan("t", "").unwrap(), [("a".to_owned(), b"1".to_vec())]);
    }

    #[test]
    fn a_scan_gives_what_begins_with_the_prefix_and_nothing_else() {
        let store = Memory::default();
        store
            .change(&mut |change| ["a", "a/x", "a/y", "b"].iter().try_for_each(|key| change.put("t", key, b"")))
            .unwrap();
        let keys: Vec<String> = store.scan("t", "a/").unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a/x", "a/y"]);
        assert!(store.scan("other", "").unwrap().is_empty());
    }
}
