//! `guests.lock`: what the committed files were built from.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Form, Guest, put};

const FILE: &str = "guests.lock";

/// What every guest is built from besides its own folder.
const SHARED: &[&str] = &["sdk/rust/src", "sdk/rust/Cargo.toml", "contract/plugin.wit", "contract/core-wasm.md"];

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Lock {
    /// The compiler that built them.
    pub(super) compiler: String,
    pub(super) guests: Vec<Entry>,
}

/// One committed file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    file: String,
    form: String,
    /// SHA-256 over the sources.
    source: String,
    /// SHA-256 of the file.
    wasm: String,
}

impl Lock {
    /// Reads the committed lock.
    ///
    /// # Errors
    /// When it is not there or has another shape.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join(FILE)).with_context(|| format!("reading {FILE}"))?;
        serde_json::from_str(&text).with_context(|| format!("reading {FILE}"))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        put(&root.join(FILE), format!("{}\n", serde_json::to_string_pretty(self)?).as_bytes())
    }

    /// What does not fit between a file as it is and as it was locked.
    pub(super) fn difference(&self, now: &Entry) -> Option<String> {
        let Some(locked) = self.guests.iter().find(|entry| entry.file == now.file) else {
            return Some(format!("{} is not in {FILE}", now.file));
        };
        if locked.source != now.source {
            return Some(format!("{} was built from other sources", now.file));
        }
        (locked != now).then(|| format!("{} is not the file that was built", now.file))
    }
}

impl Entry {
    /// A guest as it is now.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub(super) fn of(root: &Path, guest: &Guest, wasm: &[u8]) -> Result<Self> {
        let form = match guest.form {
            Form::Component => "component",
            Form::Core => "core",
        };
        let own = [format!("{}/src", guest.folder), format!("{}/Cargo.toml", guest.folder)];
        let mut files = Vec::new();
        for part in own.iter().map(String::as_str).chain(SHARED.iter().copied()) {
            collect(&root.join(part), &mut files)?;
        }
        files.sort();
        let mut hash = Sha256::new();
        for file in &files {
            let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            hash.update(file.strip_prefix(root).unwrap_or(file).to_string_lossy().as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        let wasm = hex(&Sha256::digest(wasm));
        Ok(Self { file: guest.file.to_owned(), form: form.to_owned(), source: hex(&hash.finalize()), wasm })
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
