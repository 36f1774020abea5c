//! SQLite behind the kernel's [`Store`](midplane_kernel::store::Store) seam: two files in the data folder.
//!
//! `state.db` cannot be had again: what is wrong with it is an error that says what to do, and nothing is overwritten.
//! `catalog.db` can: a broken one is set aside and begun anew, with a warning. Every change is one transaction of a
//! write-ahead log: whoever is killed at any moment leaves the old or the new. Several hosts may share a folder.
//!
//! Reading order: `sqlite` (the store) → `file` (opening, creating, setting aside) → `fault` (what errors say).
#![forbid(unsafe_code)]

mod fault;
mod file;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use midplane_contract::Result;
use midplane_kernel::store::Stores;

pub use sqlite::Sqlite;

/// Opens the two stores of a data folder; the folder and the files are made where they are not there, for this user only.
///
/// # Errors
/// `storage`: the folder cannot be written, the disk is full, another process holds the files for longer than 5 s, or
/// `state.db` is damaged.
pub fn open(folder: &Path) -> Result<Stores> {
    let state = Sqlite::lasting(&folder.join("state.db"))?;
    let catalog = Sqlite::rebuildable(&folder.join("catalog.db"))?;
    Ok(Stores { state: Arc::new(state), catalog: Arc::new(catalog) })
}
