//! A folder that only this user may write, and files in it.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, renameat, unlinkat};

use crate::stamp::Stamp;

/// An open folder. All access goes through its descriptor, so that nobody can swap it afterwards.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder, making it (for this user alone) where it is missing.
    ///
    /// # Errors
    /// When it cannot be made, is a symlink or no folder, belongs to somebody else, or when others may write it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        make(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| {
            Error::new(error.kind(), format!("{}: not a folder of its own: {error}", path.display()))
        })?;
        ours(&fstat(&folder)?, &path.display())?;
        Ok(Self(folder))
    }

    /// Opens a file, and says in which state it is; `None` where there is none.
    ///
    /// # Errors
    /// When it is no plain file of this user's alone, or cannot be read.
    pub(super) fn file(&self, name: &str) -> Result<Option<(File, Stamp)>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let facts = fstat(&file)?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            return Err(Error::new(ErrorKind::InvalidInput, format!("{name} is no plain file")));
        }
        ours(&facts, &name)?;
        Ok(Some((file, Stamp::from_facts(&facts))))
    }

    /// Puts a file into place by renaming it: it is there wholly or not at all.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left behind then.
    pub(super) fn write(&self, name: &str, parts: &[&[u8]]) -> Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let draft = format!(".{name}.{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, draft.as_str(), flags, Mode::RUSR | Mode::WUSR)?);
        let written = parts
            .iter()
            .try_for_each(|part| file.write_all(part))
            .and_then(|()| renameat(&self.0, draft.as_str(), &self.0, name).map_err(Error::from));
        if written.is_err() {
            // The draft's name is never used again, so that it stays behind is only untidy.
            let _ = unlinkat(&self.0, draft.as_str(), AtFlags::empty());
        }
        written
    }
}

fn make(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn ours(facts: &Stat, what: &dyn std::fmt::Display) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if facts.st_uid != user {
        let text = format!("{what} belongs to user {}, not to {user}", facts.st_uid);
        return Err(Error::new(ErrorKind::PermissionDenied, text));
    }
    if facts.st_mode & 0o022 != 0 {
        let text = format!("{what} may be written by others (mode {:o}): chmod go-w it", facts.st_mode & 0o7777);
        return Err(Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(())
}
