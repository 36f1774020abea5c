//! Puts the example plugins together as a user would have them: a folder each, with the manifest and the code.
//!
//! Native code is taken from what cargo built, WebAssembly from what is committed beside the manifest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// Fills `target/plugins/` with the example plugins and returns that folder. [`crate::build::everything`] goes before.
///
/// # Errors
/// An example without its code, or a folder that cannot be written.
pub fn examples() -> Result<PathBuf> {
    let examples = workspace::root()?.join("examples");
    let target = workspace::target_folder()?;
    let staged = target.join("plugins");
    for entry in fs::read_dir(&examples).with_context(|| format!("reading {}", examples.display()))? {
        let folder = entry?.path();
        if folder.join("plugin.yaml").is_file() {
            stage(&folder, &target.join("debug"), &staged)
                .with_context(|| format!("putting {} together", folder.display()))?;
        }
    }
    Ok(staged)
}

fn stage(folder: &Path, built: &Path, staged: &Path) -> Result<()> {
    let manifest = fs::read_to_string(folder.join("plugin.yaml"))?;
    let main = main_of(&manifest).context("its plugin.yaml has no line `main: FILE`")?;
    let name = folder.file_name().context("it has no name")?;
    let to = staged.join(name);
    let committed = folder.join(main);
    let code =
        if committed.is_file() { committed } else { built.join(Path::new(main).file_name().unwrap_or_default()) };
    let code_to = to.join(main);
    fs::create_dir_all(code_to.parent().unwrap_or(&to))?;
    replace(&folder.join("plugin.yaml"), &to.join("plugin.yaml"))?;
    replace(&code, &code_to)
}

/// Copies beside the old file and renames: a host that has the old one open keeps it whole.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let beside = to.with_extension("part");
    fs::copy(from, &beside).with_context(|| format!("copying {} to {}", from.display(), beside.display()))?;
    fs::rename(&beside, to).with_context(|| format!("renaming {} to {}", beside.display(), to.display()))
}

/// The code that a manifest of ours names. Our examples write `main:` on a line of its own.
fn main_of(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim);
    lines.find_map(|line| line.strip_prefix("main:")).map(|main| main.trim().trim_matches('"'))
}
