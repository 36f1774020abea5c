//! A file's name says what is in it.

use super::SourceFile;

const VAGUE: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// A source file or folder of code whose name says nothing, or a `mod.rs`.
#[must_use]
pub fn vague_name(file: &SourceFile) -> Option<String> {
    if !["rs", "py", "c", "h"].iter().any(|extension| file.has_extension(extension)) {
        return None;
    }
    if file.path.ends_with("/mod.rs") {
        return Some(format!("{}: a module is `name.rs` beside a folder `name/`, not `mod.rs`", file.path));
    }
    let vague = file.path.split('/').map(stem).find(|part| VAGUE.contains(part))?;
    Some(format!("{}: `{vague}` does not say what is in it; name the concept", file.path))
}

fn stem(part: &str) -> &str {
    part.split_once('.').map_or(part, |(stem, _)| stem)
}
