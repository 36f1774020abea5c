//! Which manifest a path means.

use std::path::{Path, PathBuf};

use midplane_contract::manifest::{FILE_NAMES, runtime_of_file};
use midplane_contract::{Code, Error, Result};

use super::file::{self, unreadable};

/// A manifest and its folder.
pub(super) struct Source {
    /// The manifest's file, as found.
    pub(super) manifest: PathBuf,
    /// Its folder, absolute and without symbolic links.
    pub(super) folder: PathBuf,
}

/// The manifest that a path means; `None` when the path is a bare file of code.
pub(super) fn locate(path: &Path) -> Result<Option<Source>> {
    let facts = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if facts.is_dir() {
        let folder = resolved(path)?;
        return manifest_of(path)?.map(|manifest| Some(Source { manifest, folder })).ok_or_else(|| no_manifest(path));
    }
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_manifest = [".yaml", ".yml", ".json"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
    if is_manifest {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok(Some(Source { manifest: path.to_path_buf(), folder: resolved(parent)? }));
    }
    file::regular(path, &facts)?;
    Ok(None)
}

/// A path, absolute and without symbolic links.
pub(super) fn resolved(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| unreadable(path, &error))
}

/// The one manifest in a folder; `None` when there is none.
pub(super) fn manifest_of(folder: &Path) -> Result<Option<PathBuf>> {
    // Asking for each name says nothing of a folder that may be entered and not listed; that is fine.
    let present: Vec<PathBuf> =
        FILE_NAMES.iter().map(|name| folder.join(name)).filter(|path| path.symlink_metadata().is_ok()).collect();
    match present.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        present => Err(several(folder, present)),
    }
}

/// A folder may have one manifest.
pub(super) fn several(folder: &Path, manifests: &[PathBuf]) -> Error {
    let names: Vec<String> = manifests.iter().filter_map(|path| file_name(path)).collect();
    let message = format!("{} has more than one manifest: {}", folder.display(), names.join(", "));
    Error::new(Code::ManifestInvalid, message).remedy("keep one of them").with("files", names)
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn no_manifest(folder: &Path) -> Error {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) => return unreadable(folder, &error),
    };
    let names: Vec<String> = listing.flatten().take(1000).filter_map(|entry| file_name(&entry.path())).collect();
    let code = names.iter().find(|name| runtime_of_file(name).is_some());
    let (state, remedy) = match code {
        _ if names.is_empty() => ("is empty", format!("put a plugin there, with one of {}", FILE_NAMES.join(", "))),
        Some(code) => ("has no manifest", format!("name the file itself ({code}), or write a plugin.yaml")),
        None => ("has no manifest", format!("write one of {}", FILE_NAMES.join(", "))),
    };
    Error::new(Code::NotAPlugin, format!("the folder {} {state}", folder.display())).remedy(remedy)
}
