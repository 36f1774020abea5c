//! What a plugin's folder says about the packages it needs.

use std::fs;
use std::path::{Path, PathBuf};

use midplane_contract::{Code, Error, Result};

use super::{failed, short_hash};

/// Largest file of requirements, and how many files they may be spread over.
const SIZE: u64 = 1024 * 1024;
const FILES: usize = 32;

/// The packages that a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// The file that names them.
    pub(super) file: PathBuf,
    /// How it names them.
    pub(super) form: Form,
    /// Hash of it and of what it includes.
    pub(super) hash: String,
}

/// How a file names packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line each, as pip reads them.
    Requirements,
    /// `project.dependencies` of a `pyproject.toml`.
    Project,
}

/// What the plugin in this folder needs; `None` where it names nothing.
///
/// # Errors
/// `config_invalid` for what cannot be followed, `io` for what cannot be read.
pub(super) fn of(folder: &Path) -> Result<Option<Lock>> {
    let file = folder.join("requirements.txt");
    if let Some(text) = read(&file)? {
        let mut found = Parts { folder, parts: vec![text.clone().into_bytes()], files: 1 };
        let named = found.follow(&text, folder)?;
        let hash = short_hash(found.parts.iter().map(Vec::as_slice));
        return Ok(named.then_some(Lock { file, form: Form::Requirements, hash }));
    }
    let file = folder.join("pyproject.toml");
    let text = read(&file)?.filter(|text| text.contains("dependencies"));
    Ok(text.map(|text| Lock { file, form: Form::Project, hash: short_hash([&b"pyproject"[..], text.as_bytes()]) }))
}

fn read(file: &Path) -> Result<Option<String>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", file, &error)),
        Ok(data) if data.len() > SIZE => {
            return Err(unfit(file, &format!("has {} bytes, more than {SIZE}", data.len())));
        }
        Ok(_) => {}
    }
    fs::read_to_string(file).map(Some).map_err(|error| failed("read", file, &error))
}

fn unfit(file: &Path, what: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("{} {what}", file.display())).remedy(
        "name packages of the index with versions, files below the plugin's folder, or put modules beside the code",
    )
}

/// What a file of requirements consists of.
struct Parts<'a> {
    folder: &'a Path,
    parts: Vec<Vec<u8>>,
    files: usize,
}

impl Parts<'_> {
    /// Adds what the lines include. Whether they name any package.
    fn follow(&mut self, text: &str, beside: &Path) -> Result<bool> {
        let mut named = false;
        for line in text.lines().map(without_comment).filter(|line| !line.is_empty()) {
            if let Some(file) = included(line) {
                named |= self.include(&beside.join(file))?;
                continue;
            }
            let path = line.strip_prefix("-e").or(line.strip_prefix("--editable")).unwrap_or(line);
            let path = path.trim_start_matches(['=', ' ']).trim();
            if line.starts_with("-e") || line.starts_with("--editable") || path.starts_with(['.', '/']) {
                self.add_archive(&self.folder.join(path))?;
            }
            named |= !line.starts_with("--");
        }
        Ok(named)
    }

    fn include(&mut self, file: &Path) -> Result<bool> {
        self.files += 1;
        if self.files > FILES {
            return Err(unfit(file, &format!("is one of more than {FILES} files that include each other")));
        }
        let Some(text) = read(file)? else { return Err(unfit(file, "is included, but is not there")) };
        self.parts.push(text.clone().into_bytes());
        self.follow(&text, file.parent().unwrap_or(self.folder))
    }

    /// A file beside the plugin: a change of it must be seen. A folder cannot be told to have changed.
    fn add_archive(&mut self, file: &Path) -> Result<()> {
        if file.is_dir() {
            return Err(unfit(file, "is a folder, which is not installed from"));
        }
        self.parts.push(fs::read(file).map_err(|error| failed("read", file, &error))?);
        Ok(())
    }
}

fn without_comment(line: &str) -> &str {
    let line = if line.trim_start().starts_with('#') { "" } else { line };
    line.split(" #").next().unwrap_or_default().trim()
}

/// The file that a line includes.
fn included(line: &str) -> Option<&str> {
    let rest = ["-r", "--requirement", "-c", "--constraint"].iter().find_map(|option| {
        let rest = line.strip_prefix(option)?;
        (option.len() == 2 || rest.starts_with(['=', ' '])).then_some(rest)
    })?;
    Some(rest.trim_start_matches(['=', ' ']).trim())
}

#[cfg(test)]
mod tests;
