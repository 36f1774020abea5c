//! Puts the example plugins together as a user would have them: a folder each, with the manifest and the code.
//!
//! Native code is taken from what cargo built, WebAssembly from what is committed beside the manifest, scripts with all
//! files that lie beside them. What another tool has to build first, or what runs elsewhere, is left out: its README says
//! how to have it.

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
    let Some(main) = main_of(&manifest) else { return Ok(()) };
    let name = folder.file_name().context("it has no name")?;
    let to = staged.join(name);
    let committed = folder.join(main);
    if committed.extension().is_some_and(|ending| ["js", "ts", "py", "sh"].iter().any(|script| ending == *script)) {
        return copy_all(folder, &to);
    }
    let code =
        if committed.is_file() { committed } else { built.join(Path::new(main).file_name().unwrap_or_default()) };
    if !code.is_file() && manifest.contains("runtime: process") {
        return Ok(());
    }
    let code_to = to.join(main);
    fs::create_dir_all(code_to.parent().unwrap_or(&to))?;
    replace(&folder.join("plugin.yaml"), &to.join("plugin.yaml"))?;
    replace(&code, &code_to)
}

/// Everything but what was fetched or made for it.
fn copy_all(folder: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (from, name) = (entry.path(), entry.file_name());
        if from.is_file() {
            replace(&from, &to.join(name))?;
        } else if name != "node_modules" && name != "__pycache__" && name != ".venv" {
            copy_all(&from, &to.join(name))?;
        }
    }
    Ok(())
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
