//! Writing a reply to a file, whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use midplane::{Code, Error};
use tempfile::NamedTempFile;

use crate::exit::Outcome;

/// A file that is being written. An ordinary file appears under its name when it is whole; until then, and after a
/// failure, what was there before stays.
#[derive(Debug)]
pub(crate) struct Save {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    Beside(NamedTempFile),
    /// A device or a pipe, which cannot be replaced.
    Itself(File),
}

impl Save {
    /// Begins to write.
    ///
    /// # Errors
    /// `permission_denied` or `io` when no file can be made there.
    pub(crate) fn begin(path: &Path) -> Outcome<Self> {
        Self::open(path, None)
    }

    /// Begins to write what only this user may read, whoever could read what was there before.
    ///
    /// # Errors
    /// As [`Save::begin`].
    pub(crate) fn secret(path: &Path) -> Outcome<Self> {
        Self::open(path, Some(0o600))
    }

    fn open(path: &Path, mode: Option<u32>) -> Outcome<Self> {
        // Through a link, to the file that it names.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let to = open(&path, mode).map_err(|error| failed(&path, &error))?;
        Ok(Self { path, to })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `io`, a full disk for example.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        let written = match &mut self.to {
            To::Beside(file) => file.write_all(bytes),
            To::Itself(file) => file.write_all(bytes),
        };
        Ok(written.map_err(|error| failed(&self.path, &error))?)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// As [`Save::write`].
    pub(crate) fn finish(self) -> Outcome<()> {
        if let To::Beside(file) = self.to {
            file.persist(&self.path).map_err(|error| failed(&self.path, &error.error))?;
        }
        Ok(())
    }
}

fn open(path: &Path, mode: Option<u32>) -> io::Result<To> {
    let found = path.metadata().ok();
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return File::options().write(true).open(path).map(To::Itself);
    }
    let mode = mode.unwrap_or_else(|| found.map_or(0o666, |found| found.permissions().mode()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file =
        tempfile::Builder::new().prefix(".midplane-").permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    Ok(To::Beside(file))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => Code::PermissionDenied,
        _ => Code::Io,
    };
    Error::new(code, format!("{} cannot be written: {error}", path.display()))
        .remedy("choose a file in a folder that exists, that this user may write, and that has room")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reply");
        std::fs::write(&path, "before").unwrap();
        let mut save = Save::begin(&path).unwrap();
        save.write(b"af").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        save.write(b"ter").unwrap();
        save.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"after");
        drop(Save::begin(&path).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_is_written_and_not_replaced() {
        let mut save = Save::begin(Path::new("/dev/null")).unwrap();
        save.write(b"x").unwrap();
        save.finish().unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }
}
