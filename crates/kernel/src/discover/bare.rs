//! Files of code without a manifest.

use std::path::Path;

use midplane_contract::manifest::{Entry, Manifest, runtime_of_file};
use midplane_contract::{Code, Error, PluginId, Result, RuntimeKind, Version};

use super::Found;
use super::folder::resolved;

/// Whether a file's ending makes it a plugin. A Python program needs a manifest: nothing in it answers `info`.
pub(super) fn runtime(name: &str) -> Option<RuntimeKind> {
    runtime_of_file(name).filter(|runtime| *runtime != RuntimeKind::Python)
}

/// What to do with a file that is none: languages that say nothing of themselves unless they run need a manifest.
fn remedy(name: &str) -> String {
    let runtime = match name.rsplit_once('.') {
        Some((_, "py")) => "python",
        Some((_, "sh" | "bash")) => "script",
        _ => return "name a folder with a manifest, or a .so, .dll, .dylib, .wasm, .js or .ts file".to_owned(),
    };
    format!("put it into a folder with a plugin.yaml that says `entry: {{ runtime: {runtime}, main: {name} }}`")
}

/// A bare file with a manifest made up from its name. Version 0.0.0, no actions, no permissions.
pub(super) fn found(path: &Path) -> Result<Found> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(runtime) = runtime(&name) else {
        let error = Error::new(Code::NotAPlugin, format!("{} is not a plugin by its ending", path.display()));
        return Err(error.remedy(remedy(&name)));
    };
    let main = resolved(path)?;
    let folder = main.parent().map_or_else(|| main.clone(), Path::to_path_buf);
    // The manifest names the file itself; the name that was given may be a link to it.
    let entry = Entry::new(main.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(), runtime);
    let manifest = Manifest::minimal(id_of(&name), Version::new(0, 0, 0), entry);
    Ok(Found { manifest, folder, main, faults: Vec::new(), bare: true, own: None })
}

/// An id from a file's name: its stem, with everything that ids may not hold replaced.
fn id_of(name: &str) -> PluginId {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) { c } else { '-' })
        .take(128)
        .collect();
    let plain = plain.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    PluginId::new(plain).unwrap_or_else(|_| fallback())
}

/// The id of a file whose name holds nothing that an id may hold.
#[expect(clippy::expect_used, reason = "the text is a constant that follows the rule")]
fn fallback() -> PluginId {
    PluginId::new("unnamed").expect("a valid id")
}
