//! One plugin for the catalog: as much as can be told, also where it is broken.

use std::path::{Path, PathBuf};

use midplane_contract::manifest::{Fault, Manifest, into_error};
use midplane_contract::{Error, Result};

use super::{bare, file, folder, look};

/// What can be told of a plugin.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The manifest, where it can be read; of a bare file, one made up from its name.
    pub(crate) manifest: Option<Manifest>,
    /// The files that this hangs on, there or not.
    pub(crate) files: Vec<PathBuf>,
    /// The file that tells it from another: its code, or its manifest where the code is no file or is not there. `None`
    /// where neither may be read.
    pub(crate) hashed: Option<PathBuf>,
    /// Why it cannot be used.
    pub(crate) error: Option<Error>,
}

/// Reads a plugin: by its manifest in its folder, or as the bare file that it is.
pub(crate) fn survey(path: &Path, manifest: Option<&Path>) -> Survey {
    let surveyed = match manifest {
        Some(manifest) => of_folder(path, manifest),
        None => of_file(path),
    };
    surveyed.unwrap_or_else(|error| {
        let files = vec![manifest.unwrap_or(path).to_path_buf()];
        Survey { manifest: None, files, hashed: None, error: Some(error) }
    })
}

fn of_file(path: &Path) -> Result<Survey> {
    file::regular(path, &path.metadata().map_err(|error| file::unreadable(path, &error))?)?;
    let found = bare::found(path)?;
    let files = vec![path.to_path_buf()];
    Ok(Survey { manifest: Some(found.manifest), files, hashed: Some(found.main), error: None })
}

fn of_folder(path: &Path, manifest: &Path) -> Result<Survey> {
    let source = folder::Source { manifest: manifest.to_path_buf(), folder: folder::resolved(path)? };
    let seen = look(&source)?;
    let mut files = vec![source.manifest.clone()];
    let named = seen.parsed.files.main.as_ref().filter(|_| !seen.parsed.files.remote);
    let expected = named.map(|named| source.folder.join(&named.path)).or_else(|| seen.main.clone());
    files.extend(expected.filter(|_| !seen.parsed.files.remote));
    let broken = seen.parsed.faults.iter().any(Fault::is_error) || seen.parsed.manifest.is_none();
    let error = broken.then(|| into_error(&source.manifest.display().to_string(), &seen.parsed.faults));
    let hashed = seen.main.filter(|main| main.is_file()).or(Some(source.manifest));
    Ok(Survey { manifest: seen.parsed.manifest, files, hashed, error })
}
