//! Reading a manifest's file, and nothing else.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use midplane_contract::{Code, Error, Result, defaults::MANIFEST_SIZE};
use sha2::{Digest, Sha256};

/// The text of a manifest: a regular file inside the folder, up to one byte more than a manifest may have.
pub(super) fn read(path: &Path, folder: &Path) -> Result<Vec<u8>> {
    let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    if !real.starts_with(folder) {
        let message = format!("{} is a link to {}, outside of its folder", path.display(), real.display());
        return Err(Error::new(Code::ManifestInvalid, message).remedy("put the file itself into the folder"));
    }
    let mut text = Vec::new();
    let most = u64::try_from(MANIFEST_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    let (file, _) = open_regular(&real, path)?;
    file.take(most).read_to_end(&mut text).map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

/// Opens a regular file and nothing else; `shown` is how errors call it.
fn open_regular(path: &Path, shown: &Path) -> Result<(File, Metadata)> {
    let file = open(path).map_err(|error| unreadable(shown, &error))?;
    let facts = file.metadata().map_err(|error| unreadable(shown, &error))?;
    regular(shown, &facts)?;
    Ok((file, facts))
}

/// Largest file of code, in bytes: a scan reads it whole.
const CODE_SIZE: u64 = 2 << 30;

/// The SHA-256 of a regular file, 64 hexadecimal digits, and how many bytes it has.
pub(crate) fn checksum(path: &Path) -> Result<(String, u64)> {
    let (mut file, facts) = open_regular(path, path)?;
    if facts.len() > CODE_SIZE {
        return Err(Error::new(Code::LimitExceeded, format!("{} has more than 2 GiB", path.display()))
            .remedy("put data into files beside the code, or move away what is no plugin")
            .with("which", "code"));
    }
    let (mut sum, mut piece, mut size) = (Sha256::new(), [0; 16 * 1024], 0);
    loop {
        match file.read(&mut piece).map_err(|error| unreadable(path, &error))? {
            0 => break,
            read => {
                sum.update(piece.get(..read).unwrap_or_default());
                size += read as u64;
            }
        }
    }
    Ok((sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), size))
}

/// Opens a regular file, and nothing that has to be waited for or never ends.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    let facts = file.metadata()?;
    if facts.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, not a file", kind(&facts))))
}

/// Opens without waiting: a named pipe put in the file's place would otherwise hold the host until somebody writes.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Whether something is a regular file.
pub(super) fn regular(path: &Path, facts: &Metadata) -> Result<()> {
    if facts.is_file() {
        return Ok(());
    }
    let message = format!("{} is {}, not a file", path.display(), kind(facts));
    Err(Error::new(Code::NotAPlugin, message).remedy("name a plugin's folder, a manifest or a file of code"))
}

/// What something is that is no regular file.
pub(super) fn kind(facts: &Metadata) -> &'static str {
    if facts.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        let kind = facts.file_type();
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    "something else"
}

/// Why something cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    let made = match error.kind() {
        io::ErrorKind::NotFound => Error::new(Code::PluginNotFound, format!("there is nothing at {shown}"))
            .remedy("check the path; a plugin is a folder with a manifest, or a file of code"),
        io::ErrorKind::PermissionDenied => Error::new(Code::Io, format!("{shown} may not be read"))
            .remedy("give the host's user the right to read it, and to enter the folders above"),
        _ => Error::new(Code::Io, format!("{shown} cannot be read: {error}")).remedy("check the path and the disk"),
    };
    made.caused_by(error).with("path", shown.to_string())
}
