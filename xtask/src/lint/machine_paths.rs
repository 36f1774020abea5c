//! Nothing that is committed knows the machine it was written on.

use super::SourceFile;

/// Folders where people and build machines keep their work, each followed by `/` when it is one.
const FOLDERS: &[&str] = &["/root", "/home", "/Users", "/work", "/github/workspace"];

/// The only places that a lock file may name.
const LOCK_SOURCES: &[&str] = &["registry+https://github.com/rust-lang/crates.io-index"];

/// An absolute path of somebody's machine in any file, compiled ones too, or a lock file that names a mirror.
#[must_use]
pub fn machine_paths(file: &SourceFile) -> Option<String> {
    if let Some(source) = foreign_source(file) {
        return Some(format!("{}: comes from {source}; a lock file names the public registry only", file.path));
    }
    let folder = FOLDERS.iter().find(|folder| names_folder(&file.content, folder))?;
    let remedy = match file.has_extension("wasm") {
        true => "build it with --remap-path-prefix",
        false => "use a path relative to the repository, or `~`",
    };
    Some(format!("{}: holds an absolute path below {folder}; {remedy}", file.path))
}

fn foreign_source(file: &SourceFile) -> Option<String> {
    if !file.path.ends_with("Cargo.lock") {
        return None;
    }
    let text = file.text();
    let mut sources = text.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
    sources.find(|source| !LOCK_SOURCES.contains(source)).map(str::to_owned)
}

/// Whether `folder/` stands in the bytes as the beginning of a path: `target/work/` is not one.
fn names_folder(content: &[u8], folder: &str) -> bool {
    let needle = format!("{folder}/");
    let mut windows = content.windows(needle.len()).enumerate();
    windows.any(|(at, window)| window == needle.as_bytes() && begins_a_path(content, at))
}

fn begins_a_path(content: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| content.get(before));
    before.is_none_or(|byte| !(byte.is_ascii_alphanumeric() || b"._-/})>*~".contains(byte)))
}
