//! The plugin folders of settings, as paths.

use std::path::PathBuf;

use midplane_contract::Settings;
use midplane_kernel::catalog::folders::{self, MODULE_DIRS, PLUGIN_DIRS};

/// The folders that plugins are looked for in, `~` expanded. Those that are not there are among them.
#[must_use]
pub fn folders(settings: &Settings) -> Vec<PathBuf> {
    settings.folders.iter().map(|folder| expand_home(folder)).collect()
}

/// Whether these are folders that nobody has named: those of the defaults, or those of a `module_manager` or `plugins` that
/// names none. They need not be there.
#[must_use]
pub fn are_defaults(folders: &[String]) -> bool {
    folders == Settings::default().folders || folders == MODULE_DIRS || folders == PLUGIN_DIRS
}

/// A path with the user's home folder in place of a leading `~`. Without a home it stays as it is.
#[must_use]
pub fn expand_home(path: &str) -> PathBuf {
    folders::expand_home(path, &|name| std::env::var_os(name))
}
