//! The file of a store: made whole or not at all, opened, and set aside when it is broken.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use midplane_contract::{Code, Error, Result};
use rusqlite::{Connection, OpenFlags};

use crate::fault::{self, Fault};

/// Says in the file's head that it is ours: "Midp".
const OURS: i32 = 0x4d69_6470;
/// The layout. A host refuses what a later one has written.
const LAYOUT: i32 = 1;
/// How long to wait for another process.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps other processes from opening, making or setting aside stores of this folder. Never held beyond that.
pub(crate) struct Opening {
    _lock: File,
}

impl Opening {
    /// Makes the folder where it is not there, and waits for others, 5 s at most.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_folder(folder).map_err(|error| fault::io(folder, "made", &error))?;
        let name = folder.join("opening.lock");
        let lock = OpenOptions::new().create(true).append(true).open(&name);
        let lock = lock.map_err(|error| fault::io(&name, "written", &error))?;
        let end = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { _lock: lock }),
                Err(TryLockError::Error(error)) => return Err(fault::io(&name, "locked", &error)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => return Err(held(&name)),
            }
        }
    }
}

fn held(name: &Path) -> Error {
    Error::new(
        Code::Storage,
        format!("another process has been opening the data folder for 5 s, by {}", name.display()),
    )
    .remedy("wait until it is done, or end it, then try again")
    .with("path", name.display().to_string())
}

/// What stands in there is of nobody else's business.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a store's file, which is made where it is not there.
pub(crate) fn open(path: &Path, lasting: bool, _opening: &Opening) -> Result<Connection, Fault> {
    if !path.exists() {
        let log = beside(path, "-wal");
        if log.exists() {
            return Err(Fault::Damaged(format!("it is not there, and its log {} is", log.display())));
        }
        make(path)?;
    }
    ours(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        prepare(&connection, lasting)?;
        let whole = if lasting { whole(&connection)? } else { None };
        Ok((connection, whole))
    });
    match opened.map_err(|error| Fault::of(path, &error))? {
        (_, Some(why)) => Err(Fault::Damaged(why)),
        (connection, None) => Ok(connection),
    }
}

/// A new file comes into being under its name only when it is whole: an empty one is never taken for a new one.
fn make(path: &Path) -> Result<(), Fault> {
    let new = beside(path, ".new");
    for leftover in [&new, &beside(&new, "-journal")] {
        let _ = fs::remove_file(leftover);
    }
    let made = Connection::open(&new).and_then(|connection| {
        connection.execute_batch(&format!(
            "BEGIN; PRAGMA application_id = {OURS}; PRAGMA user_version = {LAYOUT};
             CREATE TABLE entries (place TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                                   PRIMARY KEY (place, key)) STRICT;
             COMMIT;"
        ))
    });
    made.map_err(|error| Fault::of(path, &error))?;
    let named = fs::rename(&new, path).and_then(|()| path.parent().map_or(Ok(()), synchronize));
    named.map_err(|error| Fault::Other(fault::io(path, "made", &error)))
}

/// A name is on the disk when its folder is.
fn synchronize(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn prepare(connection: &Connection, lasting: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What can be found again need not be on the disk before the next change.
    connection.pragma_update(None, "synchronous", if lasting { "full" } else { "normal" })?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Whether a file's head is that of a database of ours. SQLite would take an empty file for a new one, and write.
fn ours(path: &Path) -> Result<(), Fault> {
    // Whatever else stands there is not opened: a pipe would be waited for.
    if path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return Err(Fault::Damaged("it is no file".to_owned()));
    }
    let mut head = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    if let Err(error) = read
        && error.kind() != std::io::ErrorKind::UnexpectedEof
    {
        return Err(Fault::Other(fault::io(path, "read", &error)));
    }
    // https://www.sqlite.org/fileformat.html: the user version at byte 60, the application's id at byte 68.
    let number = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(i32::from_be_bytes)
    };
    match (number(68), number(60)) {
        (Some(OURS), Some(LAYOUT)) if head.starts_with(b"SQLite format 3\0") => Ok(()),
        (Some(OURS), Some(later)) if later > LAYOUT && head.starts_with(b"SQLite format 3\0") => {
            let message = format!("{} has layout {later}, this host knows {LAYOUT}", path.display());
            let error = Error::new(Code::Storage, message).remedy("use the Midplane that wrote it, or a later one");
            Err(Fault::Other(error.with("path", path.display().to_string())))
        }
        _ => Err(Fault::Damaged("it is not a database of Midplane".to_owned())),
    }
}

/// What does not fit together inside of a database.
fn whole(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

/// Gives a broken file, and its log, another name.
pub(crate) fn set_aside(path: &Path, _opening: &Opening) -> Result<PathBuf> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let aside = beside(path, &format!(".broken-{}", now.as_millis()));
    let mut moved = vec![(beside(path, "-wal"), beside(&aside, "-wal"))];
    if path.exists() {
        moved.push((path.to_path_buf(), aside.clone()));
    }
    // First the log: left behind, it would be laid over the new file.
    for (from, to) in moved {
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(fault::io(&from, "set aside", &error));
            }
            _ => {}
        }
    }
    let _ = fs::remove_file(beside(path, "-shm"));
    Ok(aside)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
