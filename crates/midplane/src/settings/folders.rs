//! The plugin folders of settings, as paths.

use std::path::PathBuf;

use midplane_contract::Settings;

/// The folders that plugins are looked for in, `~` expanded. Those that are not there are among them.
#[must_use]
pub fn folders(settings: &Settings) -> Vec<PathBuf> {
    settings.folders.iter().map(|folder| expand_home(folder)).collect()
}

/// A path with the user's home folder in place of a leading `~`. Without a home it stays as it is.
#[must_use]
pub fn expand_home(path: &str) -> PathBuf {
    let rest = match path.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (rest, home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}
