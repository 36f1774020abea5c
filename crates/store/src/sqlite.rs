//! One database file as a store.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use midplane_contract::{Code, Error, Result};
use midplane_kernel::store::{Change, Store, Work};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::fault::Fault;
use crate::file::{self, Opening};

/// A database file with one connection, used by one thread at a time.
pub struct Sqlite {
    path: PathBuf,
    lasting: bool,
    /// `None` after a file was set aside and could not be begun anew; tried again at the next use.
    connection: Mutex<Option<Connection>>,
}

impl Sqlite {
    /// A file that cannot be had again. Each change is on the disk when it is made.
    ///
    /// # Errors
    /// As [`crate::open`].
    pub fn lasting(path: &Path) -> Result<Self> {
        let opening = Opening::of(path)?;
        let connection = file::open(path, true, &opening).map_err(|fault| fault.into_error(path))?;
        Ok(Self::over(path, true, connection))
    }

    /// A file whose contents can be found again. A broken one is set aside, now or when that shows, and begun anew.
    ///
    /// # Errors
    /// As [`crate::open`], but never because it is damaged.
    pub fn rebuildable(path: &Path) -> Result<Self> {
        let opening = Opening::of(path)?;
        Ok(Self::over(path, false, begin(path, &opening)?))
    }

    fn over(path: &Path, lasting: bool, connection: Connection) -> Self {
        Self { path: path.to_path_buf(), lasting, connection: Mutex::new(Some(connection)) }
    }

    /// Does something with the connection; where the file shows itself broken and may be, begins it anew and does it
    /// again.
    fn with<T>(&self, mut act: impl FnMut(&mut Connection) -> Outcome<T>) -> Result<T> {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match act(self.open(&mut held)?) {
            Err(Stop::Sqlite(error)) => match Fault::of(&self.path, &error) {
                Fault::Damaged(why) if !self.lasting => {
                    tracing::warn!(path = %self.path.display(), why, "the file shows itself broken");
                    // Closed first: closing it later would remove the log of the file that takes its place.
                    *held = None;
                    act(self.open(&mut held)?).map_err(|stop| stop.into_error(&self.path))
                }
                fault => Err(fault.into_error(&self.path)),
            },
            done => done.map_err(|stop| stop.into_error(&self.path)),
        }
    }

    fn open<'a>(&self, held: &'a mut MutexGuard<'_, Option<Connection>>) -> Result<&'a mut Connection> {
        if held.is_none() {
            let opening = Opening::of(&self.path)?;
            // Whoever shares the folder may have begun it anew already; if not, all of it is looked at.
            if file::open(&self.path, true, &opening).is_err() {
                put_away(&self.path, &opening)?;
            }
            **held = Some(begin(&self.path, &opening)?);
        }
        held.as_mut().ok_or_else(|| Error::new(Code::Internal, "a store without a file"))
    }
}

/// Opens what can be found again; what is broken is set aside.
fn begin(path: &Path, opening: &Opening) -> Result<Connection> {
    match file::open(path, false, opening) {
        Ok(connection) => Ok(connection),
        Err(Fault::Other(error)) => Err(error),
        Err(Fault::Damaged(why)) => {
            tracing::warn!(path = %path.display(), why, "the file is broken");
            put_away(path, opening)?;
            file::open(path, false, opening).map_err(|fault| fault.into_error(path))
        }
    }
}

fn put_away(path: &Path, opening: &Opening) -> Result<()> {
    let aside = file::set_aside(path, opening)?;
    tracing::warn!(path = %path.display(), aside = %aside.display(), "set aside; it is built anew from the plugin folders");
    Ok(())
}

/// What ended an access before its end.
enum Stop {
    Sqlite(rusqlite::Error),
    Own(Error),
}

type Outcome<T> = std::result::Result<T, Stop>;

impl Stop {
    fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Sqlite(error) => Fault::of(path, &error).into_error(path),
            Self::Own(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Store for Sqlite {
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.with(|connection| Ok(get(connection, table, key)?))
    }

    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.with(|connection| Ok(scan(connection, table, prefix)?))
    }

    fn change(&self, work: &mut Work<'_>) -> Result<()> {
        self.with(|connection| {
            // At once, not at the first write: two that have both read could not both go on to write.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut change = Changing { transaction, path: &self.path, stopped: RefCell::new(None) };
            let done = work(&mut change);
            match (change.stopped.into_inner(), done) {
                (Some(error), _) => Err(Stop::Sqlite(error)),
                (None, Err(error)) => Err(Stop::Own(error)),
                (None, Ok(())) => Ok(change.transaction.commit()?),
            }
        })
    }
}

/// A transaction under way; dropped, it is rolled back.
struct Changing<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
    /// What SQLite refused: nothing is committed then, whatever the work makes of it.
    stopped: RefCell<Option<rusqlite::Error>>,
}

impl Changing<'_> {
    fn kept<T>(&self, done: rusqlite::Result<T>) -> Result<T> {
        done.map_err(|error| {
            let told = Fault::of(self.path, &error).into_error(self.path);
            self.stopped.borrow_mut().get_or_insert(error);
            told
        })
    }
}

impl Change for Changing<'_> {
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.kept(get(&self.transaction, table, key))
    }

    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.kept(scan(&self.transaction, table, prefix))
    }

    fn put(&mut self, table: &str, key: &str, value: &[u8]) -> Result<()> {
        let insert = "INSERT INTO entries (place, key, value) VALUES (?1, ?2, ?3)
                      ON CONFLICT (place, key) DO UPDATE SET value = excluded.value";
        let written =
            self.transaction.prepare_cached(insert).and_then(|mut insert| insert.execute(params![table, key, value]));
        self.kept(written).map(drop)
    }

    fn remove(&mut self, table: &str, key: &str) -> Result<()> {
        let delete = "DELETE FROM entries WHERE place = ?1 AND key = ?2";
        let written =
            self.transaction.prepare_cached(delete).and_then(|mut delete| delete.execute(params![table, key]));
        self.kept(written).map(drop)
    }
}

fn get(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached("SELECT value FROM entries WHERE place = ?1 AND key = ?2")?;
    select.query_row(params![table, key], |row| row.get(0)).optional()
}

fn scan(connection: &Connection, table: &str, prefix: &str) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let select = "SELECT key, value FROM entries WHERE place = ?1 AND key >= ?2 ORDER BY key";
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![table, prefix])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        found.push((key, row.get(1)?));
    }
    Ok(found)
}
