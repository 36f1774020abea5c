//! Where a new project goes: a folder that appears with everything in it, or not at all.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use midplane::{Code, Error};

use super::template::File;
use crate::exit::{Outcome, Stop};

/// A folder that a project can be written to: not there yet, or empty.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    parent: PathBuf,
}

impl Place {
    /// Looks at `parent/name`, and makes the folder around it where that is not there.
    ///
    /// # Errors
    /// Wrong usage when something is there already; `permission_denied` or `io` when the system refuses.
    pub(super) fn free(parent: &Path, name: &str) -> Outcome<Self> {
        let folder = parent.join(name);
        match is_free(&folder) {
            Ok(true) => {}
            Ok(false) => {
                let message = format!("{} is there already, and is no empty folder", folder.display());
                let remedy = "choose another name, or another place with --dir; nothing was written";
                return Err(Stop::usage(message, remedy));
            }
            Err(error) => return Err(refused(&folder, &error).into()),
        }
        fs::create_dir_all(parent).map_err(|error| refused(parent, &error))?;
        Ok(Self { folder, parent: parent.to_path_buf() })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the files beside the folder, and gives them the folder's name when all are there. What somebody else put
    /// there meanwhile stays, and is an error.
    ///
    /// # Errors
    /// `permission_denied` or `io`, a full disk for example. Nothing is left behind then.
    pub(super) fn fill(self, files: &[File]) -> Outcome<()> {
        let written = tempfile::Builder::new()
            .prefix(".midplane-new-")
            .permissions(Permissions::from_mode(0o777))
            .tempdir_in(&self.parent)
            .and_then(|beside| {
                files.iter().try_for_each(|(path, content)| write(&beside.path().join(path), content))?;
                fs::rename(beside.path(), &self.folder)?;
                // Nothing is there any longer to be taken away.
                let _ = beside.keep();
                Ok(())
            });
        Ok(written.map_err(|error| refused(&self.folder, &error))?)
    }
}

fn is_free(folder: &Path) -> io::Result<bool> {
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
        Ok(facts) if facts.is_dir() => Ok(fs::read_dir(folder)?.next().is_none()),
        Ok(_) => Ok(false),
    }
}

fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content)
}

fn refused(path: &Path, error: &io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => Code::PermissionDenied,
        _ => Code::Io,
    };
    Error::new(code, format!("{} cannot be written: {error}", path.display()))
        .remedy("choose a folder with --dir that this user may write and that has room")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> File {
        (path.to_owned(), b"x".as_slice().into())
    }

    #[test]
    fn a_project_appears_whole_in_a_folder_that_is_not_there_or_empty() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["fresh", "empty"] {
            if name == "empty" {
                fs::create_dir(parent.path().join(name)).unwrap();
            }
            let place = Place::free(&parent.path().join("."), name).unwrap();
            place.fill(&[file("a"), file("b/c")]).unwrap();
            assert_eq!(fs::read(parent.path().join(name).join("b/c")).unwrap(), b"x");
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let taken = parent.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let place = Place::free(parent.path(), "taken").unwrap();
        fs::write(taken.join("mine"), "mine").unwrap();
        assert!(place.fill(&[file("mine")]).is_err());
        assert!(Place::free(parent.path(), "taken").is_err());
        assert_eq!(fs::read(taken.join("mine")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        std::os::unix::fs::symlink("nowhere", parent.path().join("link")).unwrap();
        assert!(Place::free(parent.path(), "link").is_err());
    }
}
