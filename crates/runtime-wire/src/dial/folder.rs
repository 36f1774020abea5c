//! Folders for sockets: this user's alone, below the temporary one, and taken away after hosts that were killed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the names begin with; the process and a number follow.
const PREFIX: &str = "midplane-";

/// A folder that only this user may enter. Goes with the value; where that was killed, the next process that makes one
/// finds it without a lock.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// A fresh one below the temporary folder.
    pub(super) fn fresh() -> io::Result<Self> {
        static SWEPT: Once = Once::new();
        let all = std::env::temp_dir();
        SWEPT.call_once(|| sweep(&all));
        Self::fresh_in(&all)
    }

    fn fresh_in(all: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        for _ in 0..100 {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = all.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => match locked(&path) {
                    Ok(Some(lock)) => return Ok(Self { path, _lock: lock }),
                    Ok(None) => {}
                    Err(error) => {
                        let _ = fs::remove_dir(&path);
                        return Err(error);
                    }
                },
                // Left by an earlier process of this number, or put there by somebody.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Locks a folder that was made just now. `None` where somebody who sweeps was faster.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let gone = |error: io::Error| if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    // Where folders cannot be locked nobody sweeps either.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(None);
    }
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(((there.dev(), there.ino()) == (own.dev(), own.ino())).then_some(file)),
        Err(error) => gone(error),
    }
}

/// Takes away what killed processes of this user have left: folders of such a name that nobody holds a lock on.
fn sweep(all: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let own = fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_dir() && facts.uid() == me);
        if is_name(&name.to_string_lossy()) && own {
            let held = File::open(&path).and_then(|folder| folder.try_lock().map(|()| folder).map_err(io::Error::from));
            if let Ok(_held) = held {
                let _ = fs::remove_dir_all(&path);
            }
        }
    }
}

/// Whether it is `midplane-PROCESS-NUMBER`.
fn is_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, number)| digits(process) && digits(number))
}

#[cfg(test)]
mod tests {
    use midplane_testkit::{Scratch, files_below};

    use super::*;

    #[test]
    fn what_a_killed_host_has_left_is_swept_and_nothing_else() {
        let all = Scratch::new("sockets").unwrap();
        let lives = Folder::fresh_in(all.path()).unwrap();
        fs::write(lives.path().join("rpc.sock"), "").unwrap();
        for name in ["midplane-7-0", "midplane-notes-7", "midplane-7", "midplane-7-0-more"] {
            fs::create_dir(all.path().join(name)).unwrap();
            fs::write(all.path().join(name).join("rpc.sock"), "").unwrap();
        }
        fs::write(all.path().join("midplane-8-0"), "a file").unwrap();
        std::os::unix::fs::symlink(all.path().join("midplane-7"), all.path().join("midplane-9-0")).unwrap();
        sweep(all.path());
        let own = format!("{}/rpc.sock", lives.path().file_name().unwrap().to_string_lossy());
        let mut expected = vec![
            own,
            "midplane-7-0-more/rpc.sock".into(),
            "midplane-7/rpc.sock".into(),
            "midplane-8-0".into(),
            "midplane-9-0/rpc.sock".into(),
            "midplane-notes-7/rpc.sock".into(),
        ];
        expected.sort();
        assert_eq!(files_below(all.path()).unwrap(), expected);
        drop(lives);
        assert!(!files_below(all.path()).unwrap().iter().any(|file| file.contains(&std::process::id().to_string())));
    }

    #[test]
    fn a_folder_that_was_swept_before_it_was_locked_is_not_used() {
        let all = Scratch::new("sockets").unwrap();
        let path = all.path().join("midplane-7-0");
        assert!(locked(&path).unwrap().is_none());
        fs::create_dir(&path).unwrap();
        let sweeps = File::open(&path).unwrap();
        sweeps.lock().unwrap();
        assert!(locked(&path).unwrap().is_none());
        drop(sweeps);
        assert!(locked(&path).unwrap().is_some());
    }
}
