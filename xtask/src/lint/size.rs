//! A file holds one concept, and one concept fits into 600 lines.

use super::SourceFile;

/// More lines than this and there are two concepts in the file.
const MOST_LINES: usize = 600;

/// A source file of more than 600 lines. Tests and generated files are exempt.
#[must_use]
pub fn too_long(file: &SourceFile) -> Option<String> {
    let counted = ["rs", "py", "c"].iter().any(|extension| file.has_extension(extension));
    if !counted || file.is_test() {
        return None;
    }
    let text = file.text();
    if text.lines().next().is_some_and(|first| first.contains("@generated")) {
        return None;
    }
    let lines = text.lines().count();
    (lines > MOST_LINES)
        .then(|| format!("{}: {lines} lines, more than {MOST_LINES}; take the second concept out", file.path))
}
