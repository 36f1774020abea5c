//! What a library file is, read without executing any of it.

mod elf;
mod format;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

pub(crate) use elf::{hex, missing_entry};
use midplane_contract::{Code, Error, Kind, Result};
use sha2::{Digest, Sha256};

/// Largest library, in bytes.
const LARGEST: u64 = 1 << 30;
/// The endings that a library may have.
const ENDINGS: [&str; 3] = ["so", "dylib", "dll"];

/// A library file, read and found fit to be opened.
pub(crate) struct Image {
    /// All of it.
    pub(crate) bytes: Vec<u8>,
    /// What the code is known by: the linker's build id, or `sha256:` and the hash of all bytes where there is none.
    /// Hashing takes longer than everything else about a load, so it is done only then.
    pub(crate) identity: String,
    /// What its headers say.
    pub(crate) facts: Facts,
}

/// What the headers of a library say.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The linker's build id, in hex.
    pub(crate) build_id: Option<String>,
    /// Exported functions and data, at most 256.
    pub(crate) symbols: Vec<String>,
    /// Why it will stay in memory, where that can be seen.
    pub(crate) stays_loaded: Option<String>,
}

impl Image {
    /// Reads and judges a file.
    ///
    /// # Errors
    /// `io` (not there, not readable), `not_a_plugin` (not a library, by ending or content), `permission_denied` (not
    /// executable), `limit_exceeded` (over 1 GiB), `unsupported_platform`, `wrong_architecture`, `invalid_input` (cut
    /// off), `missing_symbol`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        check_ending(path)?;
        let (bytes, entry) = read_file(path)?;
        let facts = elf::judge(path, &bytes)?;
        // Last, so that what would not do anyway is told as what it is.
        check_executable(path, &entry)?;
        let identity = facts.build_id.clone().unwrap_or_else(|| format!("sha256:{}", hex(&Sha256::digest(&bytes))));
        Ok(Self { bytes, identity, facts })
    }
}

/// `.so`, `.dylib`, `.dll`, and versioned ones as `.so.1.2`.
fn check_ending(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unversioned = name.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.');
    let ending = Path::new(unversioned).extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if ENDINGS.contains(&ending.as_str()) {
        return Ok(());
    }
    Err(Error::new(Code::NotAPlugin, format!("{} does not end as a native library does", path.display()))
        .remedy("name a file that ends in .so, .dylib or .dll, or set entry.runtime to what runs this file"))
}

fn read_file(path: &Path) -> Result<(Vec<u8>, Metadata)> {
    let unreadable = |error: &std::io::Error| {
        Error::new(Code::Io, format!("the library {} cannot be read: {error}", path.display()))
            .kind(Kind::Load)
            .remedy("build the plugin, or correct entry.main in its manifest")
            .with("path", path.display().to_string())
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let facts = file.metadata().map_err(|error| unreadable(&error))?;
    if !facts.is_file() {
        return Err(Error::new(Code::NotAPlugin, format!("{} is not a file", path.display()))
            .remedy("set entry.main to the library itself"));
    }
    if facts.len() > LARGEST {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("{} has {} bytes, more than the {LARGEST} a library may have", path.display(), facts.len()),
        )
        .kind(Kind::Load)
        .remedy("strip the library's debug sections")
        .with("which", "library_size")
        .with("limit", LARGEST));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(facts.len()).unwrap_or_default());
    // The file may grow while it is read; one byte over the limit is enough to see it.
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok((bytes, facts))
}

#[cfg(unix)]
fn check_executable(path: &Path, facts: &Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    if facts.permissions().mode() & 0o111 != 0 {
        return Ok(());
    }
    Err(Error::new(Code::PermissionDenied, format!("the library {} is not executable", path.display()))
        .kind(Kind::Load)
        .remedy(format!("run: chmod +x {}", path.display()))
        .with("path", path.display().to_string()))
}

#[cfg(not(unix))]
fn check_executable(_: &Path, _: &Metadata) -> Result<()> {
    Ok(())
}
