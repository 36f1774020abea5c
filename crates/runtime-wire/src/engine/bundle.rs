//! Files that the host brings along for an engine: an SDK, so that plugins run without installing one.

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{fs, io, process};

use midplane_contract::{Code, Error, Result};

/// A folder of files in this program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bundle {
    /// How its folder's name begins.
    pub(crate) name: &'static str,
    /// Paths below the folder, with `/`, and contents.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

impl Bundle {
    /// The files' folder below `cache`, written if it is not there. Its name holds a hash of the contents, so that hosts
    /// of different versions do not meet; a folder that others can write to, or whose files differ, is replaced.
    ///
    /// # Errors
    /// `io` when it cannot be written.
    pub(crate) fn unpack(&self, cache: &Path) -> Result<PathBuf> {
        static SOUND: OnceLock<Mutex<HashSet<PathBuf>>> = OnceLock::new();
        let folder = cache.join(format!("{}-{:016x}", self.name, self.hash()));
        let mut sound = SOUND.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may clear the cache while the host runs.
        if sound.contains(&folder) && is_ours(&folder) {
            return Ok(folder);
        }
        if !self.is_whole(&folder) {
            self.write(cache, &folder).map_err(|error| {
                Error::new(Code::Io, format!("{} cannot be written to {}: {error}", self.name, folder.display()))
                    .remedy("see that the cache folder can be written to by this user and has room")
            })?;
        }
        sound.insert(folder.clone());
        Ok(folder)
    }

    fn is_whole(&self, folder: &Path) -> bool {
        let same =
            |(path, content): &(&str, &str)| fs::read(folder.join(path)).is_ok_and(|is| is == content.as_bytes());
        is_ours(folder) && self.files.iter().all(same)
    }

    /// Writes it beside its place and moves it there in one step.
    fn write(&self, cache: &Path, folder: &Path) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        fs::create_dir_all(cache)?;
        let beside = cache.join(format!(".{}-{}-{number}", self.name, process::id()));
        let _ = fs::remove_dir_all(&beside);
        private_folder(&beside)?;
        for (path, content) in self.files {
            let path = beside.join(path);
            if let Some(parent) = path.parent() {
                private_folder(parent)?;
            }
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?
                .write_all(content.as_bytes())?;
        }
        let mut moved = fs::rename(&beside, folder);
        if moved.is_err() && !self.is_whole(folder) {
            // What is in its place is not ours, or damaged.
            fs::rename(folder, cache.join(format!(".{}-{}-{number}.damaged", self.name, process::id())))?;
            moved = fs::rename(&beside, folder);
        }
        let _ = fs::remove_dir_all(&beside);
        let _ = fs::remove_dir_all(cache.join(format!(".{}-{}-{number}.damaged", self.name, process::id())));
        if self.is_whole(folder) { Ok(()) } else { moved.and(Err(ErrorKind::InvalidData.into())) }
    }

    /// FNV-1a with 64 bits over paths and contents. It tells versions apart; whether a folder is sound is seen by reading.
    fn hash(&self) -> u64 {
        let parts = self.files.iter().flat_map(|(path, content)| [path.as_bytes(), b"\0", content.as_bytes(), b"\0"]);
        parts
            .flatten()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// A folder, and no link, that belongs to this user and nobody else can write to.
fn is_ours(folder: &Path) -> bool {
    let mine =
        |is: fs::Metadata| is.is_dir() && is.uid() == rustix::process::geteuid().as_raw() && is.mode() & 0o077 == 0;
    fs::symlink_metadata(folder).is_ok_and(mine)
}

fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use midplane_testkit::Scratch;

    use super::*;

    const BUNDLE: Bundle = Bundle { name: "some-sdk", files: &[("main.x", "one"), ("deep/er/other.x", "two")] };

    fn fresh(bundle: Bundle, cache: &Path) -> PathBuf {
        let folder = bundle.unpack(cache).unwrap();
        assert!(bundle.is_whole(&folder));
        folder
    }

    #[test]
    fn its_files_are_written_once_and_for_this_user_alone() {
        let scratch = Scratch::new("bundle").unwrap();
        let folder = fresh(BUNDLE, scratch.path());
        assert_eq!(fs::read_to_string(folder.join("deep/er/other.x")).unwrap(), "two");
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(folder.join("main.x")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fresh(BUNDLE, scratch.path()), folder);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "something was left beside it");
    }

    #[test]
    fn another_content_has_another_folder() {
        let scratch = Scratch::new("bundle").unwrap();
        let other = Bundle { files: &[("main.x", "three")], ..BUNDLE };
        assert_ne!(fresh(BUNDLE, scratch.path()), fresh(other, scratch.path()));
    }

    #[test]
    fn a_damaged_folder_or_one_of_others_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new("bundle").unwrap();
        let folder = scratch.path().join(format!("some-sdk-{:016x}", BUNDLE.hash()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("main.x"), "planted").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(fresh(BUNDLE, scratch.path()), folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(fresh(BUNDLE, scratch.path()), folder);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}
