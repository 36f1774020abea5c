//! What errors of SQLite and of files say.

use std::io;
use std::path::Path;

use midplane_contract::{Code, Error};
use rusqlite::ErrorCode;

/// Why a file of the store cannot be used.
pub(crate) enum Fault {
    /// It is no database, not one of ours, or its inside does not fit together.
    Damaged(String),
    /// Everything else.
    Other(Error),
}

impl Fault {
    /// What SQLite says of a file.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Other(refused(path, error)),
        }
    }

    /// The record, for a file that cannot be had again.
    pub(crate) fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Damaged(why) => damaged(path, &why),
            Self::Other(error) => error,
        }
    }
}

/// A file that cannot be had again is damaged.
fn damaged(path: &Path, why: &str) -> Error {
    let shown = path.display();
    Error::new(Code::Storage, format!("{shown} is damaged: {why}"))
        .remedy(format!(
            "nothing was changed: put back a copy of {shown}, or move it away to begin without grants, plugin state and \
             installed records"
        ))
        .with("path", shown.to_string())
        .with("damaged", true)
}

fn refused(path: &Path, error: &rusqlite::Error) -> Error {
    let shown = path.display();
    let (message, remedy) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            (format!("there is no room to write {shown}; nothing was changed"), "make room on its disk, then try again")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            format!("another process has been writing to {shown} for 5 s"),
            "wait until it is done, or end it, then try again",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
            format!("{shown} cannot be opened and written: {error}"),
            "give the host's user the right to write the data folder and the files in it",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            format!("{shown} cannot be read or written: {error}; nothing was changed"),
            "check the disk, its free room, and limits on the size of files",
        ),
        _ => (format!("{shown} cannot be used: {error}"), "check the disk and the file"),
    };
    Error::new(Code::Storage, message).remedy(remedy).caused_by(error).with("path", shown.to_string())
}

/// What the file system says of a path.
pub(crate) fn io(path: &Path, doing: &str, error: &io::Error) -> Error {
    let shown = path.display();
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give the host's user the right to write the data folder, or name another one"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on its disk, then try again",
        _ => "check the path and the disk, or name another data folder",
    };
    Error::new(Code::Storage, format!("{shown} cannot be {doing}: {error}"))
        .remedy(remedy)
        .caused_by(error)
        .with("path", shown.to_string())
}
