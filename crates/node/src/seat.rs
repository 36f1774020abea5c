//! The seat of a data folder: one host at a time has it. Whoever dies, in whatever way, has left it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};

/// The door's name in the data folder.
pub const SOCKET: &str = "host.sock";
const LOCK: &str = "host.lock";
/// How long to wait for a host that has the seat while nobody answers at its door: it begins, or ends, or has none.
const HOST: Duration = Duration::from_secs(5);
/// How long to wait for a command that has the seat: what it tries may take its time.
const COMMAND: Duration = Duration::from_secs(60);
/// Bytes of a socket's path, by the system; the end is marked by one more.
const LONGEST: usize = 107;

/// What somebody has the seat for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be the host.
    Host,
    /// To do one thing while there is no host.
    Command,
}

/// The seat. It is left when this is dropped, or the process is gone.
#[derive(Debug)]
pub struct Seat {
    folder: PathBuf,
    _lock: File,
}

impl Seat {
    /// Takes the seat of a folder, which is made where it is not there. `None` while another host has it. Blocks while
    /// somebody has it who does not answer at the door: for a host 5 s, for a command 60 s at most.
    ///
    /// # Errors
    /// `storage`: the folder cannot be written, or a command has had the seat all that time.
    pub fn take(folder: &Path, purpose: Purpose) -> Result<Option<Self>> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, "made", &error))?;
        let name = folder.join(LOCK);
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&name);
        let lock = lock.map_err(|error| unusable(&name, "written", &error))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(&name, "locked", &error)),
                Err(TryLockError::WouldBlock) if is_answered(folder) => return Ok(None),
                Err(TryLockError::WouldBlock) => match (held_for(&name), begun.elapsed()) {
                    (Purpose::Host, waited) if waited > HOST => return Ok(None),
                    (Purpose::Command, waited) if waited > COMMAND => return Err(busy(folder)),
                    _ => std::thread::sleep(Duration::from_millis(20)),
                },
            }
        }
        // Of no consequence where it cannot be written: it says how long others wait.
        let _ = lock.set_len(0).and_then(|()| (&lock).write_all(purpose.word()));
        Ok(Some(Self { folder: folder.to_path_buf(), _lock: lock }))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the socket, for this user only. One that a dead host has left is replaced.
    ///
    /// # Errors
    /// `permission_denied` where others could put theirs in its place: the folder belongs to another user, or others
    /// may write it. `storage` for a path that is too long for a socket, and what the system says.
    pub(crate) fn listen(&self) -> Result<UnixListener> {
        check(&self.folder)?;
        let path = self.folder.join(SOCKET);
        fits(&path)?;
        // Nobody can come in before it is this user's alone: only then it gets its name.
        let new = self.folder.join(format!("{SOCKET}.new"));
        let made = fs::remove_file(&new).or_else(not_there).and_then(|()| {
            let listener = UnixListener::bind(&new)?;
            fs::set_permissions(&new, Permissions::from_mode(0o600))?;
            fs::rename(&new, &path)?;
            Ok(listener)
        });
        made.map_err(|error| unusable(&path, "made", &error))
    }
}

impl Purpose {
    fn word(self) -> &'static [u8] {
        match self {
            Self::Host => b"host",
            Self::Command => b"command",
        }
    }
}

/// What the seat is held for, as far as it is written down yet.
fn held_for(lock: &Path) -> Purpose {
    let is_command = fs::read(lock).is_ok_and(|text| text == Purpose::Command.word());
    if is_command { Purpose::Command } else { Purpose::Host }
}

fn busy(folder: &Path) -> Error {
    let time = COMMAND.as_secs();
    Error::new(Code::Storage, format!("another command has been at work over {} for {time} s", folder.display()))
        .remedy("wait until it is done, or end it, then try again")
        .with("path", folder.display().to_string())
}

fn not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Whether somebody answers at the door.
fn is_answered(folder: &Path) -> bool {
    UnixStream::connect(folder.join(SOCKET)).is_ok()
}

/// Whether a path can be a socket's.
pub(crate) fn fits(path: &Path) -> Result<()> {
    let long = path.as_os_str().len() + ".new".len();
    if long <= LONGEST {
        return Ok(());
    }
    Err(Error::new(Code::Storage, format!("{} is too long for a socket: {long} bytes of {LONGEST}", path.display()))
        .remedy("name a data folder with a shorter path, or a link to it")
        .with("path", path.display().to_string()))
}

/// Whether nobody else could put another door there.
fn check(folder: &Path) -> Result<()> {
    let facts = fs::metadata(folder).map_err(|error| unusable(folder, "read", &error))?;
    let refused = |why: &str, remedy: &str| {
        Err(Error::new(Code::PermissionDenied, format!("{} {why}", folder.display()))
            .remedy(remedy)
            .with("path", folder.display().to_string()))
    };
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return refused("belongs to another user", "name a data folder of your own");
    }
    if facts.mode() & 0o022 != 0 {
        return refused("can be written by others", "take that from them: chmod go-w");
    }
    Ok(())
}

fn unusable(path: &Path, what: &str, error: &io::Error) -> Error {
    Error::new(Code::Storage, format!("{} cannot be {what}: {error}", path.display()))
        .remedy("see who may write the data folder, and whether its disk is full; or name another one")
        .caused_by(error)
        .with("path", path.display().to_string())
}
