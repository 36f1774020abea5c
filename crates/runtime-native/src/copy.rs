//! The copy of a library that is opened in its place: a file that is written once and then never changes.
//!
//! The linker recognizes a library by its path and its inode, and answers with what is mapped already; a library that is
//! overwritten while it is mapped takes the process down. So each load opens a file of its own, named by the content and
//! the generation. A copy is removed with its library; what a killed process left behind is removed by the next one,
//! which knows living copies by the lock on them.

mod folder;

pub(crate) use folder::no_execution;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use midplane_contract::{Code, Error, Kind, Result};

use crate::image::Image;

/// A copy on disk, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Copy {
    path: PathBuf,
    /// Holds the lock that says that the copy is in use.
    _file: File,
}

impl Copy {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the copy of an unloaded library could not be removed");
        }
    }
}

/// Makes copies in the host's cache folder.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Folders that were tidied by this process.
    tidied: Mutex<HashSet<PathBuf>>,
}

impl Copies {
    /// Writes the copy of an image.
    ///
    /// # Errors
    /// `permission_denied` for a folder that others may write to, that is a symbolic link, or that forbids execution;
    /// `io` when writing fails.
    pub(crate) fn make(&self, cache: &Path, image: &Image, generation: u64) -> Result<Copy> {
        let folder = folder::prepare(cache)?;
        if self.tidied.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.clone()) {
            tidy(&folder);
        }
        let path = folder.join(name(image, generation));
        write(&path, &image.bytes).map(|file| Copy { path: path.clone(), _file: file }).map_err(|error| {
            Error::new(Code::Io, format!("the library cannot be copied to {}: {error}", path.display()))
                .kind(Kind::Load)
                .remedy("make room there, or name another cache folder")
        })
    }
}

/// Content and generation, for people; process and count, so that no two loads ever share a name.
fn name(image: &Image, generation: u64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let content: String = image.identity.trim_start_matches("sha256:").chars().take(32).collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{content}-{generation}-{}-{count}.so", std::process::id())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let unfinished = path.with_extension("part");
    let written = locked(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        fs::rename(&unfinished, path)?;
        Ok(file)
    });
    written.inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })
}

/// A new file with a lock on it. Another process that tidies may come between the two and take it away; each does so once.
fn locked(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o500);
    loop {
        let file = options.open(path)?;
        file.lock_shared()?;
        if fs::exists(path)? {
            return Ok(file);
        }
    }
}

/// Removes what nobody holds a lock on. Failing to is no fault: it is tried again by the next process.
fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Held until it is gone, so that whoever has just made it notices.
        let unused = File::open(&path).ok().filter(|file| file.try_lock().is_ok());
        if unused.is_some() {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use midplane_testkit::Scratch;

    use super::*;

    #[test]
    fn whoever_tidies_takes_nothing_away_that_is_being_written() {
        let scratch = Scratch::new("copies").unwrap();
        let (folder, done) = (scratch.path(), AtomicBool::new(false));
        let lost = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    tidy(folder);
                }
            });
            // As soon as one copy is finished it goes again, so that little is to be tidied, and that often.
            let round = |number: &u32| {
                let path = folder.join(format!("{number}.so"));
                write(&path, b"code").and_then(|_copy| fs::remove_file(&path)).is_err()
            };
            let lost = (0..5000_u32).filter(round).count();
            done.store(true, Ordering::Relaxed);
            lost
        });
        assert_eq!(lost, 0, "of 5000");
    }
}
