//! The seat of a data folder: one host at a time has it. Whoever dies, in whatever way, has left it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use midplane_contract::{Code, Error, Result};

/// The door's name in the data folder.
pub const SOCKET: &str = "host.sock";
const LOCK: &str = "host.lock";
/// How long to wait for a seat that is taken while nobody answers at the door: a command that is done soon has it, or
/// a host that begins or ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a socket's path, by the system; the end is marked by one more.
const LONGEST: usize = 107;

/// The seat. It is left when this is dropped, or the process is gone.
#[derive(Debug)]
pub struct Seat {
    folder: PathBuf,
    _lock: File,
}

impl Seat {
    /// Takes the seat of a folder, which is made where it is not there. `None` while another host has it. Blocks, for
    /// 5 s at most, while somebody has it who does not answer at the door.
    ///
    /// # Errors
    /// `storage`: the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Option<Self>> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, "made", &error))?;
        let name = folder.join(LOCK);
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&name);
        let lock = lock.map_err(|error| unusable(&name, "written", &error))?;
        let end = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(Self { folder: folder.to_path_buf(), _lock: lock })),
                Err(TryLockError::Error(error)) => return Err(unusable(&name, "locked", &error)),
                Err(TryLockError::WouldBlock) if Instant::now() > end || is_answered(folder) => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
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
