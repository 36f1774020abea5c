//! The folder that copies stand in: this user's alone, and one that code may be mapped from.

use std::fs;
use std::path::{Path, PathBuf};

use midplane_contract::{Code, Error, Kind, Result};

/// Makes the folder for copies inside the cache folder, or checks the one that is there.
pub(super) fn prepare(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("native");
    make(&folder)?;
    check(cache)?;
    check(&folder)?;
    Ok(folder)
}

fn make(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        Error::new(Code::Io, format!("the cache folder {} cannot be made: {error}", folder.display()))
            .kind(Kind::Load)
            .remedy("name a cache folder that this user may write to")
    })
}

#[cfg(unix)]
fn check(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::StatVfsMountFlags;

    let facts = fs::symlink_metadata(folder).map_err(|error| {
        Error::new(Code::Io, format!("the cache folder {} cannot be read: {error}", folder.display())).kind(Kind::Load)
    })?;
    let fault = if !facts.is_dir() {
        "is a symbolic link or no folder"
    } else if facts.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if facts.mode() & 0o022 != 0 {
        "can be written to by others"
    } else if rustix::fs::statvfs(folder).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::NOEXEC)) {
        return Err(no_execution(folder));
    } else {
        return Ok(());
    };
    Err(Error::new(Code::PermissionDenied, format!("the cache folder {} {fault}", folder.display()))
        .kind(Kind::Load)
        .remedy(format!("run: chmod 700 {}; or name a cache folder of this user's own", folder.display()))
        .with("path", folder.display().to_string()))
}

#[cfg(not(unix))]
fn check(_: &Path) -> Result<()> {
    Ok(())
}

/// The refusal of a folder whose mount forbids execution.
pub(crate) fn no_execution(folder: &Path) -> Error {
    Error::new(
        Code::PermissionDenied,
        format!("the folder {} forbids execution (it is mounted noexec, or a policy says so)", folder.display()),
    )
    .kind(Kind::Load)
    .remedy("name a cache folder on a file system that is mounted without noexec")
    .with("path", folder.display().to_string())
}
