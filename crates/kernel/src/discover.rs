//! Finding plugins on disk: a plugin's folder, its manifest, or a bare file of code.
//!
//! Everything here blocks on the file system and is bounded: manifests are read up to 1 MiB, nothing but regular files
//! is opened, and no path leads out of a plugin's folder, through symbolic links neither.

mod bare;
mod code;
mod file;
mod folder;
mod scan;
mod sources;
mod stamp;
mod survey;
mod walk;

use std::path::{Path, PathBuf};

use midplane_contract::manifest::{Fault, FaultCode, Manifest, Parsed, Spelling, into_error};
use midplane_contract::{Code, Error, Result};

use crate::guest::Own;
use crate::platform::{self, Platform};

pub(crate) use file::{checksum, open_file};
pub use scan::scan;
pub use sources::newer_source;
pub(crate) use stamp::Stamp;
pub(crate) use survey::{Survey, survey};
pub(crate) use walk::{Listings, Met, What, walk};

/// A plugin that can be loaded, as far as its manifest and files tell.
#[derive(Debug, Clone)]
pub struct Found {
    /// The manifest; of a bare file, one made up from its name with no actions.
    pub manifest: Manifest,
    /// The plugin's folder, absolute and without symbolic links.
    pub folder: PathBuf,
    /// The code, likewise, and inside the folder. Of a remote plugin the folder joined with its address.
    pub main: PathBuf,
    /// Warnings.
    pub faults: Vec<Fault>,
    /// Whether it is a file without a manifest, which describes itself.
    pub bare: bool,
    /// What executes it, where it came with that.
    pub(crate) own: Option<Own>,
}

/// Everything that can be said about a plugin without running it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// The manifest's file, or the bare file. As given, not resolved.
    pub file: PathBuf,
    /// How the manifest is spelled; `None` for bare files and for text that is not even YAML or JSON.
    pub spelling: Option<Spelling>,
    /// The manifest; `None` when it has errors of its own. Faults of files and of the platform leave it here.
    pub manifest: Option<Manifest>,
    /// Every fault and every warning.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether the plugin can be loaded, as far as this tells.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.manifest.is_some() && !self.faults.iter().any(Fault::is_error)
    }
}

/// Reads what stands at a path: a plugin's folder, a manifest, or a bare `.so`, `.dll`, `.dylib`, `.wasm`, `.js` or
/// `.ts` file.
///
/// # Errors
/// `plugin_not_found` when nothing stands there, `not_a_plugin` when something else does, `manifest_invalid` with
/// every fault in `data.faults`, `io` when reading fails.
pub fn read(path: &Path) -> Result<Found> {
    let Some(source) = folder::locate(path)? else { return bare::found(path) };
    let seen = look(&source)?;
    let name = source.manifest.display().to_string();
    match (seen.parsed.manifest, seen.main) {
        (Some(manifest), Some(main)) if !seen.parsed.faults.iter().any(Fault::is_error) => {
            Ok(Found { manifest, folder: source.folder, main, faults: seen.parsed.faults, bare: false, own: None })
        }
        _ => Err(into_error(&name, &seen.parsed.faults)),
    }
}

/// Everything that is wrong with what stands at a path: its manifest, the files that it names, its configuration
/// schema, and whether a platform can run it.
///
/// # Errors
/// Only where there is nothing to report on: `plugin_not_found`, `not_a_plugin`, `io`, or several manifests.
pub fn check(path: &Path, platform: &Platform) -> Result<Report> {
    let Some(source) = folder::locate(path)? else {
        let found = bare::found(path)?;
        let file = path.to_path_buf();
        return Ok(Report { file, spelling: None, manifest: Some(found.manifest), faults: found.faults });
    };
    let Seen { mut parsed, .. } = look(&source)?;
    if let Some(manifest) = &parsed.manifest {
        let refusals = platform::refusals(manifest, platform);
        parsed.faults.extend(refusals.iter().map(platform_fault));
        parsed.faults.extend(schema_fault(manifest));
    }
    Ok(Report { file: source.manifest, spelling: parsed.spelling, manifest: parsed.manifest, faults: parsed.faults })
}

/// A manifest and its files.
struct Seen {
    /// What parsing said, with the faults of the files added.
    parsed: Parsed,
    /// The code, when it is there.
    main: Option<PathBuf>,
}

fn look(source: &folder::Source) -> Result<Seen> {
    let text = file::read(&source.manifest, &source.folder)?;
    let name = source.manifest.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let mut parsed = midplane_contract::manifest::parse(&name, &text);
    let main = code::resolve(&mut parsed, &source.folder);
    Ok(Seen { parsed, main })
}

fn platform_fault(error: &Error) -> Fault {
    let record = error.record();
    let code = match record.code {
        Code::VersionMismatch => FaultCode::VersionMismatch,
        _ => FaultCode::UnsupportedPlatform,
    };
    Fault::without_place(code, "/compatibility", &record.message, record.remedy.clone().unwrap_or_default())
}

fn schema_fault(manifest: &Manifest) -> Option<Fault> {
    let error = crate::config::check_schema(manifest.config_schema.as_ref()?).err()?;
    let record = error.record();
    let remedy = record.remedy.clone().unwrap_or_default();
    Some(Fault::without_place(FaultCode::InvalidSchema, "/config_schema", &record.message, remedy))
}

#[cfg(test)]
mod tests;
